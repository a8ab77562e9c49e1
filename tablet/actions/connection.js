// The line to the server, from signing in on, and what it tells.

import { accessToken, SignedOut } from "../api.js";
import { Outbox } from "../outbox.js";
import { change, state } from "../state.js";
import { read } from "../storage.js";
import { Stream } from "../stream.js";
import { sendWaitingCalls, takeCall } from "./calls.js";
import { loadMenu, refreshMenu } from "./menu.js";
import { loadParty, sayThanks, settleParty, takeOrder } from "./party.js";
import { deliver, send, settleEntry } from "./submit.js";
import { leaveIfSignedOut, running, stop, takeNumber, takeTable } from "./table.js";

export function start() {
  stop();
  const table = state.device.table.id;
  running.outbox = new Outbox({ send, save: settleEntry, onSignedOut: leaveIfSignedOut });
  running.stream = new Stream({
    path: "/api/v1/tablet/events",
    token: (rejected) => accessToken(table, rejected),
    on: {
      event: takeEvent,
      snapshot,
      state: (connection) => connection !== state.connection && reached(connection),
      isFinal: (error) => error instanceof SignedOut,
      ended: leaveIfSignedOut,
    },
  });
  running.stream.run();
  // The page before this one may have been sending it when it ended.
  if (state.entry?.state === "waiting") change({ entry: { ...state.entry, unsure: true } });
  deliver();
}

function reached(connection) {
  // A break that heals within a second is nobody's business.
  if (connection === "reconnecting") return;
  change({ connection });
  if (connection === "offline") return;
  change({ lostPictures: new Set() });
  running.outbox.wake?.();
  sendWaitingCalls();
}

addEventListener("online", () => {
  running.stream?.hurry();
  running.outbox?.wake?.();
});
addEventListener("offline", () => {
  if (!state.device) return;
  change({ connection: "offline" });
  running.stream?.lost();
});

// Everything anew; the number of the event from which to go on.
async function snapshot() {
  const [{ session, orders, cursor }] = await Promise.all([loadParty(), loadMenu()]);
  settleParty({ session, orders });
  change({ device: read("device") }); // if it has been renewed since, with the store as it is called now
  if (orders.length) takeNumber(orders[0].table);
  return cursor;
}

function takeEvent(type, { data }) {
  if (type === "menu.changed") return void refreshMenu();
  if (type === "table.changed") return takeTable(data);
  if (type.startsWith("call.")) return void takeCall(data);
  if (type === "session.started") return data.id !== state.party.session?.id && settleParty({ session: data, orders: [] });
  if (type === "session.expired") return data.id === state.party.session?.id && settleParty({ session: null, orders: [] });
  if (type === "session.completed") return data.id === state.party.session?.id && sayThanks();
  if (type.startsWith("order.") && data.session === state.party.session?.id) takeOrder(data);
}
