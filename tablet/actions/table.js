// The table that the tablet is now: what runs for it, what is asked as it, and how that ends.

import { request, SignedOut, signOut } from "../api.js";
import { change, keepOwnPlace, state } from "../state.js";
import { read, write } from "../storage.js";

// From signing in to signing out.
export const running = { stream: null, outbox: null };

export function stop() {
  running.stream?.stop();
  running.outbox?.stop();
}

// As the table that is shown.
export const ask = (method, path, options) => request(state.device?.table.id, method, path, options);

export function takeTable(table) {
  takeNumber(table);
  ask("GET", "session").catch(leaveIfSignedOut); // or was it to cut this tablet off?
}

// The table as staff call it now. The tokens that are written down may be newer than those in the state.
export function takeNumber({ number }) {
  const device = read("device");
  if (!state.device || device?.table.id !== state.device.table.id || device.table.number === number) return;
  device.table.number = number;
  write("device", device);
  change({ device });
}

// From the table that is shown: that it can't speak for the one before any more is nothing to this one.
export function leaveIfSignedOut(error) {
  if (state.device && error instanceof SignedOut && error.table === state.device.table.id) signedOut();
}

export function signedOut(notice = { name: "cutOff" }) {
  stop();
  signOut(state.device.table.id);
  keepOwnPlace();
  change({ device: null, dialog: null, notice, query: "", category: null, party: { session: null, orders: [] }, connection: "offline" });
}
