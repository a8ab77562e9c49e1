// The party at the table and its bill, as the server has them.

import { change, keep, keepWaitingCalls, state, waitingCalls } from "../state.js";
import { leaveBehind, nobodyThere, startAnew } from "./idle.js";
import { ask } from "./table.js";
import { say } from "./toast.js";

const SHOW_THANKS = 8; // seconds

export async function loadParty() {
  return (await ask("GET", "session")).body;
}

export function settleParty(party) {
  const before = state.party.session;
  if (before && before.id !== party.session?.id) partyIsOver();
  else if (isMoreCancelled(state.party.orders, party.orders)) tellOfCancelling();
  keep("party", party);
}

const cancelled = (order) => order.lines.reduce((sum, line) => sum + line.cancelled_quantity, 0);

// Of an order that was known before, however we hear of it: an event may have been missed.
function isMoreCancelled(before, now) {
  const known = new Map(before.map((order) => [order.id, order]));
  return now.some((order) => known.has(order.id) && cancelled(order) > cancelled(known.get(order.id)));
}

function tellOfCancelling() {
  if (state.dialog?.name === "bill" && !nobodyThere()) return; // it is seen there
  say({ name: "somethingCancelled" });
  keep("unreadBill", true);
}

export function openBill(more = {}) {
  keep("unreadBill", null);
  if (state.toast?.name === "somethingCancelled") change({ toast: null }); // it would lie over what it points to
  change({ dialog: { name: "bill", ...more } });
}

export const billTotal = () => state.party.orders.reduce((sum, order) => sum + order.total, 0);

// Whatever comes twice or late: the highest version is right.
export function takeOrder(order) {
  const known = state.party.orders.find((other) => other.id === order.id);
  if (known && known.version >= order.version) return;
  const others = state.party.orders.filter((other) => other.id !== order.id);
  settleParty({ ...state.party, orders: [...others, order].sort((a, b) => (a.placed_at < b.placed_at ? 1 : -1)) });
}

// What a party has left in the cart is not for the next one, nor is how it liked to read, but whoever is at the tablet
// right now keeps theirs.
function partyIsOver() {
  leaveBehind();
  keep("unreadBill", null);
  if (nobodyThere()) startAnew();
  // Where no stream comes through, nobody tells us that staff have come. Calls still on their way have their own end.
  change({ calls: waitingCalls() });
}

// Of these a guest has read enough; whatever else is open, somebody is choosing, or typing, in it.
const GIVES_WAY = ["bill", "sent", "idle"];

export function sayThanks() {
  const isInTheWay = state.dialog && !GIVES_WAY.includes(state.dialog.name) && !nobodyThere();
  settleParty({ session: null, orders: [] });
  change({ calls: {} });
  keepWaitingCalls();
  if (isInTheWay) return say({ name: "thanksHint" });
  change({ dialog: { name: "thanks" } });
  setTimeout(() => state.dialog?.name === "thanks" && change({ dialog: null }), SHOW_THANKS * 1000);
}
