// The order, from the guest's "send" to its number.

import { request } from "../api.js";
import { priced } from "../cart.js";
import { LONG, newEntry } from "../outbox.js";
import { change, keep, kept, state } from "../state.js";
import { clearCart, openLine, takeOutUnorderable } from "./cart.js";
import { loadMenu, refreshMenu } from "./menu.js";
import { loadParty, openBill, settleParty, takeOrder } from "./party.js";
import { leaveIfSignedOut, running } from "./table.js";

const SHOW_NUMBER = 5; // seconds

export async function send({ key, table, body }) {
  return (await request(table, "POST", "orders", { body, headers: { "Idempotency-Key": key } })).body;
}

export function submit({ session = state.party.session?.id ?? null } = {}) {
  if (state.entry) return; // a double tap
  const { lines, total } = priced(state.cart, state.menu);
  settleEntry(newEntry({ lines, total, session, note: state.cartNote, table: state.device.table.id }));
  deliver();
}

export function deliver() {
  if (!state.entry) return;
  running.outbox.deliver(state.entry);
  setTimeout(() => change({}), LONG); // then the page has more to say
}

// The guest says that an old order is still wanted: it goes on under the same key.
export function sendAfterAll() {
  settleEntry({ ...state.entry, state: "waiting", since: Date.now() });
  deliver();
}

// The guest says that an old order is no longer wanted. If it may be in the kitchen, what is in it must not stay in the
// cart: it would be ordered twice.
export function doNotSend() {
  const { unsure } = state.entry;
  if (unsure) clearCart();
  dropEntry();
  if (unsure) openBill({ unsure: true });
}

const ABOUT_THE_MENU = ["SOLD_OUT", "PRICE_CHANGED", "ITEM_NOT_FOUND", "INVALID_OPTION", "OPTION_COUNT"];

export function settleEntry(entry) {
  if (entry.state === "done") {
    // The order is the server's now: first the cart goes, then the entry, so that no reload can send it again.
    clearCart();
    takeOwnOrder(entry.order);
    keep("entry", null);
    change({ dialog: { name: "sent", order: entry.order }, seconds: SHOW_NUMBER });
    clearInterval(counting);
    counting = setInterval(countDown, 1000);
  } else {
    if (entry.state === "refused" && ABOUT_THE_MENU.includes(entry.reason.code)) refreshMenu();
    // Another page of this tablet may have ended it meanwhile: written down again, it would come back after a reload.
    const ended = entry.attempts > 0 && kept("entry")?.key !== entry.key;
    if (ended) change({ entry });
    else keep("entry", entry);
  }
}

async function takeOwnOrder(order) {
  if (state.party.session?.id === order.session) return takeOrder(order);
  try {
    const { session, orders, cursor } = await loadParty(); // it began a session: see all of it
    // While the answer was on its way the stream may have told that, and more; one without a cursor has told nothing yet.
    if (!(running.stream.cursor > cursor)) settleParty({ session, orders });
  } catch (error) {
    leaveIfSignedOut(error);
  }
}

let counting;

function countDown() {
  change({ seconds: state.seconds - 1 });
  if (state.seconds > 0 && state.dialog?.name === "sent") return;
  clearInterval(counting);
  if (state.dialog?.name === "sent") change({ dialog: null });
}

// The tap of a hand that did not wait for the answer is not meant to take the number away.
export const leaveNumber = () => state.seconds < SHOW_NUMBER && change({ dialog: null });

export function dropEntry({ dialog = null } = {}) {
  keep("entry", null);
  change({ dialog });
}

// The server said that something has run out, and the guest wants the rest.
export const goOnWithout = () =>
  withNewMenu(() => {
    takeOutUnorderable();
    dropEntry({ dialog: state.cart.length ? { name: "review" } : null });
  });

// The server said that an option has run out, and the guest wants the dish with another.
export const chooseAgain = (key) =>
  withNewMenu(() => {
    dropEntry({ dialog: { name: "review" } });
    const line = state.cart.find((line) => line.key === key);
    if (line) openLine(line);
  });

async function withNewMenu(goOn) {
  const { entry } = state;
  await askForMenu();
  if (state.entry === entry && state.device) goOn(); // else tapped twice, or cut off meanwhile
}

// On a weak network that takes a while, and a button that does nothing is tapped again.
async function askForMenu() {
  change({ busy: true });
  await loadMenu().catch(leaveIfSignedOut);
  change({ busy: false });
}

// The server said that the price or the party has changed, and the guest said yes to that: to this total and no other.
export async function submitAgain() {
  const { entry } = state;
  const { code, session, total: newTotal } = entry.reason;
  if (code === "PRICE_CHANGED") await askForMenu();
  if (state.entry !== entry || !state.device) return; // tapped twice, or cut off meanwhile
  const { orderable, total } = priced(state.cart, state.menu);
  const agreed = code === "PRICE_CHANGED" ? newTotal : entry.body.expected_total;
  if (!orderable || total !== agreed) return dropEntry({ dialog: { name: "review" } }); // something else has changed too, and it says what
  keep("entry", null);
  submit(code === "SESSION_CHANGED" ? { session: session?.id ?? null } : {});
}
