// What the guest and the network do to the state.

import { accessToken, Refused, request, signIn, SignedOut, Unreachable } from "./api.js";
import { add, priced, setQuantity } from "./cart.js";
import { newEntry, Outbox } from "./outbox.js";
import { change, keep, keepWaitingCalls, recall, state } from "./state.js";
import { newKey, write } from "./storage.js";
import { Stream } from "./stream.js";

const SHOW_NUMBER = 5; // seconds
const SHOW_THANKS = 8; // seconds
const IDLE = 60; // seconds without a touch

let stream = null;

// --- Signing in and out -------------------------------------------------------------------------------------------

export async function setUp({ store, table, password }) {
  change({ busy: true, notice: null });
  try {
    change({ device: await signIn(store.trim(), table.trim(), password) });
    recall();
    start();
  } catch (error) {
    if (error instanceof Unreachable) change({ notice: { name: "noConnection" } });
    else if (error.status === 429) change({ notice: { name: "tryLater", values: { minutes: Math.ceil(error.retryAfter / 60) } } });
    else change({ notice: { name: "wrongCredentials" } });
  } finally {
    change({ busy: false });
  }
}

export function start() {
  stream?.stop();
  stream = new Stream({
    path: "/api/v1/tablet/events",
    token: accessToken,
    on: {
      event: takeEvent,
      snapshot,
      state: (connection) => connection !== state.connection && reached(connection),
      isFinal: (error) => error instanceof SignedOut,
      ended: () => signedOut(),
    },
  });
  stream.run();
  deliver();
}

export function signedOut(notice = { name: "cutOff" }) {
  stream?.stop();
  write("device", null);
  change({ device: null, dialog: null, notice, party: { session: null, orders: [] }, connection: "offline" });
}

function reached(connection) {
  change({ connection });
  if (connection === "offline") return;
  outbox.wake?.();
  sendWaitingCalls();
}

window.addEventListener("online", () => {
  stream?.hurry();
  outbox.wake?.();
});

// --- What the server tells ------------------------------------------------------------------------------------------

// Everything anew; the number of the event from which to go on.
async function snapshot() {
  const [{ body }] = await Promise.all([request("GET", "session"), loadMenu()]);
  const { session, orders, cursor } = body;
  settleParty({ session, orders });
  return cursor;
}

async function loadMenu() {
  const headers = state.menu?.etag ? { "If-None-Match": state.menu.etag } : {};
  const { status, body, answer } = await request("GET", "menu", { headers });
  if (status === 200) keep("menu", { ...body, etag: answer.headers.get("ETag") });
}

function takeEvent(type, { data }) {
  if (type === "menu.changed") return void loadMenu().catch(leaveIfSignedOut);
  if (type === "table.changed") return void request("GET", "session").catch(leaveIfSignedOut);
  if (type.startsWith("call.")) return void takeCall(data);
  if (type === "session.started") return data.id !== state.party.session?.id && settleParty({ session: data, orders: [] });
  if (type === "session.expired") return data.id === state.party.session?.id && settleParty({ session: null, orders: [] });
  if (type === "session.completed") return data.id === state.party.session?.id && sayThanks();
  if (type.startsWith("order.") && data.session === state.party.session?.id) takeOrder(data);
}

function settleParty(party) {
  keep("party", party);
}

// Whatever comes twice or late: the highest version is right.
function takeOrder(order) {
  const known = state.party.orders.find((other) => other.id === order.id);
  if (known && known.version >= order.version) return;
  const others = state.party.orders.filter((other) => other.id !== order.id);
  settleParty({ ...state.party, orders: [...others, order].sort((a, b) => (a.placed_at < b.placed_at ? 1 : -1)) });
}

function sayThanks() {
  settleParty({ session: null, orders: [] });
  change({ calls: {}, dialog: { name: "thanks" } });
  setTimeout(() => state.dialog?.name === "thanks" && change({ dialog: null }), SHOW_THANKS * 1000);
}

function leaveIfSignedOut(error) {
  if (error instanceof SignedOut) signedOut();
}

export const billTotal = () => state.party.orders.reduce((sum, order) => sum + order.total, 0);

// --- Cart -------------------------------------------------------------------------------------------------------------

export const setCart = (cart) => keep("cart", cart);
export const addToCart = (line) => setCart(add(state.cart, { ...line, key: newKey() }));
export const changeQuantity = (key, quantity) => setCart(setQuantity(state.cart, key, quantity));

export function clearCart() {
  keep("cart", []);
  keep("cartNote", "");
}

export function takeOutUnorderable() {
  const good = new Set(priced(state.cart, state.menu).lines.filter((line) => !line.problem).map((line) => line.key));
  setCart(state.cart.filter((line) => good.has(line.key)));
}

// --- Submit -----------------------------------------------------------------------------------------------------------

const outbox = new Outbox({
  send: async (entry) => (await request("POST", "orders", { body: entry.body, headers: { "Idempotency-Key": entry.key } })).body,
  save: settleEntry,
  onSignedOut: () => signedOut(),
});

export function submit({ session = state.party.session?.id ?? null } = {}) {
  const { lines, total } = priced(state.cart, state.menu);
  settleEntry(newEntry({ lines, total, session, note: state.cartNote, table: state.device.table.id }));
  deliver();
}

export function deliver() {
  if (state.entry) {
    change({ dialog: { name: "submit" } });
    outbox.deliver(state.entry);
  }
}

// The guest says that an old order is still wanted: it goes on under the same key.
export function sendAfterAll() {
  settleEntry({ ...state.entry, state: "waiting", since: Date.now() });
  outbox.deliver(state.entry);
}

function settleEntry(entry) {
  if (entry.state === "done") {
    // The order is the server's now: first the cart goes, then the entry, so that no reload can send it again.
    clearCart();
    takeOwnOrder(entry.order);
    keep("entry", null);
    change({ dialog: { name: "sent", order: entry.order } });
    countDown(SHOW_NUMBER);
  } else {
    if (entry.state === "refused" && ["SOLD_OUT", "ITEM_NOT_FOUND", "PRICE_CHANGED"].includes(entry.reason.code)) loadMenu().catch(() => {});
    keep("entry", entry);
  }
}

function takeOwnOrder(order) {
  if (state.party.session?.id === order.session) takeOrder(order);
  else snapshot().catch(leaveIfSignedOut); // it began a session: see all of it
}

function countDown(seconds) {
  change({ seconds });
  if (state.dialog?.name !== "sent") return;
  if (seconds === 0) change({ dialog: null });
  else setTimeout(() => countDown(state.seconds - 1), 1000);
}

export function dropEntry({ dialog = null } = {}) {
  keep("entry", null);
  change({ dialog });
}

// The server said that the price or the party has changed, and the guest said yes to that.
export async function submitAgain() {
  const { code, session } = state.entry.reason;
  if (code === "PRICE_CHANGED") await loadMenu().catch(() => {});
  keep("entry", null);
  submit(code === "SESSION_CHANGED" ? { session: session?.id ?? null } : {});
}

// --- Calls ------------------------------------------------------------------------------------------------------------

export async function call(kind) {
  if (state.calls[kind] === "open") return say({ name: "callSent", kind });
  setCall(kind, "waiting");
  await sendCall(kind, true);
}

async function sendCall(kind, aloud = false) {
  try {
    await request("POST", "calls", { body: { kind } });
    setCall(kind, "open");
    if (aloud) say({ name: "callSent", kind });
  } catch (error) {
    if (error instanceof SignedOut) return signedOut();
    if (error instanceof Refused && error.status !== 429) return setCall(kind, null);
    if (aloud) say({ name: "callQueued", kind });
    setTimeout(() => state.calls[kind] === "waiting" && sendCall(kind), 5000);
  }
}

function sendWaitingCalls() {
  for (const kind of Object.keys(state.calls)) if (state.calls[kind] === "waiting") sendCall(kind);
}

function takeCall({ kind, state: now }) {
  setCall(kind, now === "open" ? "open" : null);
}

function setCall(kind, now) {
  const { [kind]: _, ...calls } = state.calls;
  change({ calls: now ? { ...calls, [kind]: now } : calls });
  keepWaitingCalls();
}

let toastTimer;

function say(toast) {
  clearTimeout(toastTimer);
  change({ toast });
  toastTimer = setTimeout(() => change({ toast: null }), 4000);
}

// --- Nobody there -----------------------------------------------------------------------------------------------------

let idleTimer;
let asked = false;

export function touched() {
  clearTimeout(idleTimer);
  idleTimer = setTimeout(idle, IDLE * 1000);
}

function idle() {
  if (!state.device || state.entry || ["sent", "thanks"].includes(state.dialog?.name)) return touched();
  const ask = state.cart.length > 0 && !asked && priced(state.cart, state.menu).orderable;
  asked = state.cart.length > 0;
  change({ dialog: ask ? { name: "idle" } : null, query: "" });
  touched();
}
