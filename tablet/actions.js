// What the guest and the network do to the state.

import { accessToken, Refused, request, signIn, SignedOut, signOut, Unreachable } from "./api.js";
import { add, itemsById, orderablePart, priced, replace, setQuantity, stillOffered } from "./cart.js";
import { LONG, newEntry, Outbox } from "./outbox.js";
import { readAgain } from "./screen.js";
import { change, keep, keepMenu, keepOwnPlace, keepOwnPrefs, keepWaitingCalls, kept, recall, resetPrefs, state, waitingCalls } from "./state.js";
import { newKey, read, write } from "./storage.js";
import { Stream } from "./stream.js";

const SHOW_NUMBER = 5; // seconds
const SHOW_THANKS = 8; // seconds
const IDLE = 60; // seconds without a touch
const CHOOSING = 3 * 60; // seconds without a touch for which a dish that is half chosen stays open
const GONE = 30 * 60; // seconds without a touch after which a party that has ordered nothing has left
const RENEW_PAGE = 60 * 60; // seconds between two looks for a new version of the page
const CALL_AGAIN = 5; // seconds until a call that did not get through is tried again
const CALL_HOLDS = 10 * 60; // seconds for which somebody still wants what they called for

let stream = null;
let outbox = null;

// --- Signing in and out -------------------------------------------------------------------------------------------

export const setUp = ({ store, table, password }) =>
  withPassword(async () => {
    change({ device: await signIn(store.trim(), table.trim(), password) });
    keepOwnPrefs();
    recall();
    start();
  }, "wrongCredentials");

// Staff know the password; a guest's child that presses for long enough doesn't.
export const signOutByHand = ({ password }) =>
  withPassword(async () => {
    const { store, table } = state.device;
    await signIn(store.code, table.number, password);
    signedOut(null);
  }, "wrongPassword");

async function withPassword(work, wrong) {
  change({ busy: true, notice: null });
  try {
    await work();
  } catch (error) {
    if (error instanceof Unreachable) change({ notice: { name: "noConnection" } });
    else if (error.status === 429) change({ notice: { name: "tryLater", values: { minutes: Math.ceil(error.retryAfter / 60) } } });
    else change({ notice: { name: wrong } });
  } finally {
    change({ busy: false });
  }
}

export function start() {
  stream?.stop();
  outbox?.stop();
  const table = state.device.table.id;
  outbox = new Outbox({ send, save: settleEntry, onSignedOut: leaveIfSignedOut });
  stream = new Stream({
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
  stream.run();
  // The page before this one may have been sending it when it ended.
  if (state.entry?.state === "waiting") change({ entry: { ...state.entry, unsure: true } });
  deliver();
}

export function signedOut(notice = { name: "cutOff" }) {
  stream?.stop();
  outbox?.stop();
  signOut(state.device.table.id);
  keepOwnPlace();
  change({ device: null, dialog: null, notice, query: "", category: null, party: { session: null, orders: [] }, connection: "offline" });
}

function reached(connection) {
  // A break that heals within a second is nobody's business.
  if (connection === "reconnecting") return;
  change({ connection });
  if (connection === "offline") return;
  change({ lostPictures: new Set() });
  outbox.wake?.();
  sendWaitingCalls();
}

addEventListener("online", () => {
  stream?.hurry();
  outbox?.wake?.();
});
addEventListener("offline", () => {
  if (!state.device) return;
  change({ connection: "offline" });
  stream?.lost();
});

// --- What the server tells ------------------------------------------------------------------------------------------

// As the table that is shown.
const ask = (method, path, options) => request(state.device?.table.id, method, path, options);

// Everything anew; the number of the event from which to go on.
async function snapshot() {
  const [{ session, orders, cursor }] = await Promise.all([loadParty(), loadMenu()]);
  settleParty({ session, orders });
  change({ device: read("device") }); // if it has been renewed since, with the store as it is called now
  if (orders.length) takeNumber(orders[0].table);
  return cursor;
}

async function loadParty() {
  return (await ask("GET", "session")).body;
}

async function loadMenu() {
  const headers = state.menu?.etag ? { "If-None-Match": state.menu.etag } : {};
  const { status, body, answer } = await ask("GET", "menu", { headers });
  if (status !== 200) return;
  const was = openItem();
  keepMenu({ ...body, etag: answer.headers.get("ETag") });
  const item = openItem();
  if (was && item) change({ dialog: stillOffered(state.dialog, item, was) });
}

// The dish that is being chosen, as the menu has it.
export const openItem = () => state.dialog?.name === "item" && itemsById(state.menu).get(state.dialog.item);

// After a change, or when a picture's address has run out.
const refreshMenu = readAgain({
  async read() {
    try {
      await loadMenu();
      return true;
    } catch (error) {
      leaveIfSignedOut(error);
      return false;
    }
  },
  isWanted: () => state.device,
  rest: (isRead) => (isRead ? 0 : 2000),
});

// It can't be shown: the signature in its address may have run out, and a newer menu has a newer one.
export function pictureLost(address) {
  change({ lostPictures: new Set([...state.lostPictures, address]) });
  if (state.connection === "live") refreshMenu();
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

function takeTable(table) {
  takeNumber(table);
  ask("GET", "session").catch(leaveIfSignedOut); // or was it to cut this tablet off?
}

// The table as staff call it now. The tokens that are written down may be newer than those in the state.
function takeNumber({ number }) {
  const device = read("device");
  if (!state.device || device?.table.id !== state.device.table.id || device.table.number === number) return;
  device.table.number = number;
  write("device", device);
  change({ device });
}

function settleParty(party) {
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

let leftBehind = null; // {prefs, cart, cartNote} of a party that is over, until nobody is at the tablet

// What a party has left in the cart is not for the next one, nor is how it liked to read, but whoever is at the tablet
// right now keeps theirs.
function partyIsOver() {
  leaveBehind();
  keep("unreadBill", null);
  if (nobodyThere()) startAnew();
  // Where no stream comes through, nobody tells us that staff have come. Calls still on their way have their own end.
  change({ calls: waitingCalls() });
}

const leaveBehind = () => (leftBehind = { prefs: state.prefs, cart: state.cart, cartNote: state.cartNote });

// What has changed since, the next party has chosen.
function startAnew() {
  if (!leftBehind) return;
  const { prefs, cart, cartNote } = leftBehind;
  leftBehind = null;
  if (prefs === state.prefs) resetPrefs();
  if (cart === state.cart && cartNote === state.cartNote && !state.entry) clearCart();
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
  keepWaitingCalls();
  setTimeout(() => state.dialog?.name === "thanks" && change({ dialog: null }), SHOW_THANKS * 1000);
}

// From the table that is shown: that it can't speak for the one before any more is nothing to this one.
function leaveIfSignedOut(error) {
  if (state.device && error instanceof SignedOut && error.table === state.device.table.id) signedOut();
}

export const billTotal = () => state.party.orders.reduce((sum, order) => sum + order.total, 0);

// What is found, and the whole menu after it, is shown from its beginning.
export function search(query) {
  change({ query, category: null });
  for (const scrolled of [document.getElementById("menu"), window]) scrolled?.scrollTo({ top: 0 }); // which one, the height says
}

// --- Cart -------------------------------------------------------------------------------------------------------------

const setCart = (cart) => keep("cart", cart);
export const changeQuantity = (key, quantity) => setCart(setQuantity(state.cart, key, quantity));

export const addToCart = (line) => putIn(add(state.cart, { ...line, key: newKey() }));
export const replaceInCart = (line) => putIn(replace(state.cart, line));

// Is it in the cart now? If that is full, the guest is told so.
function putIn(cart) {
  const isIn = cart !== state.cart;
  if (isIn) setCart(cart);
  else say({ name: "cartFull" });
  return isIn;
}

// A dish as it is in the cart, to be chosen anew; then the guest is where it was opened.
export function openLine({ key, item: id, options, quantity, note }) {
  const choice = { name: "item", line: key, item: id, options, quantity, note, back: state.dialog };
  const item = itemsById(state.menu).get(id);
  change({ dialog: item ? stillOffered(choice, item) : choice });
}

// Where there is no room for the cart beside the menu, which the style knows, it lies over it.
export function showCart() {
  const isBeside = document.querySelector(".cart-panel").getClientRects().length > 0;
  change({ dialog: isBeside ? null : { name: "cart" } });
}

export function clearCart() {
  keep("cart", []);
  keep("cartNote", "");
}

export function takeOutUnorderable() {
  setCart(orderablePart(state.cart, state.menu));
  if (!state.cart.length) change({ dialog: null }); // nothing to look at, let alone to send
}

// --- Submit -----------------------------------------------------------------------------------------------------------

async function send({ key, table, body }) {
  return (await request(table, "POST", "orders", { body, headers: { "Idempotency-Key": key } })).body;
}

export function submit({ session = state.party.session?.id ?? null } = {}) {
  if (state.entry) return; // a double tap
  const { lines, total } = priced(state.cart, state.menu);
  settleEntry(newEntry({ lines, total, session, note: state.cartNote, table: state.device.table.id }));
  deliver();
}

function deliver() {
  if (!state.entry) return;
  outbox.deliver(state.entry);
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

function settleEntry(entry) {
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
    if (!(stream.cursor > cursor)) settleParty({ session, orders });
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
  await loadMenu().catch(leaveIfSignedOut);
  if (state.entry === entry && state.device) goOn(); // else tapped twice, or cut off meanwhile
}

// The server said that the price or the party has changed, and the guest said yes to that: to this total and no other.
export async function submitAgain() {
  const { entry } = state;
  const { code, session, total: newTotal } = entry.reason;
  if (code === "PRICE_CHANGED") await loadMenu().catch(leaveIfSignedOut);
  if (state.entry !== entry || !state.device) return; // tapped twice, or cut off meanwhile
  const { orderable, total } = priced(state.cart, state.menu);
  const agreed = code === "PRICE_CHANGED" ? newTotal : entry.body.expected_total;
  if (!orderable || total !== agreed) return dropEntry({ dialog: { name: "review" } }); // something else has changed too, and it says what
  keep("entry", null);
  submit(code === "SESSION_CHANGED" ? { session: session?.id ?? null } : {});
}

// --- Calls ------------------------------------------------------------------------------------------------------------

// Also one that is open already is sent: whether staff have taken it meanwhile, only the server knows for certain.
export async function call(kind) {
  if (!state.calls[kind]) setCall(kind, { state: "waiting", since: Date.now() });
  await sendCall(kind, true);
}

const onTheWay = new Set(); // kinds

async function sendCall(kind, aloud = false) {
  if (onTheWay.has(kind)) return;
  onTheWay.add(kind);
  try {
    await ask("POST", "calls", { body: { kind } });
    setCall(kind, { state: "open" });
    if (aloud) say({ name: "callSent", kind });
  } catch (error) {
    if (error instanceof SignedOut) return leaveIfSignedOut(error);
    if (error instanceof Refused && error.status !== 429) {
      setCall(kind, null);
      return say({ name: "callFailed", kind });
    }
    if (aloud) say({ name: "callQueued", kind });
    setTimeout(sendWaitingCalls, CALL_AGAIN * 1000);
  } finally {
    onTheWay.delete(kind);
  }
}

function sendWaitingCalls() {
  for (const [kind, { state: now, since }] of Object.entries(state.calls)) {
    if (now !== "waiting") continue;
    if (Date.now() - since < CALL_HOLDS * 1000) sendCall(kind);
    else {
      setCall(kind, null);
      say({ name: "callFailed", kind });
    }
  }
}

function takeCall({ kind, state: now }) {
  setCall(kind, now === "open" ? { state: "open" } : null);
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
let touchedAt = 0; // nobody yet: a page that has just come up is not in anybody's hands
const cameUpAt = Date.now();
let askedAbout = null; // the cart that we have asked about: once for each

const nobodyThere = () => Date.now() - touchedAt > IDLE * 1000;

export function touched() {
  touchedAt = Date.now();
  watchForIdle();
}

export function watchForIdle() {
  clearTimeout(idleTimer);
  idleTimer = setTimeout(idle, IDLE * 1000);
}

function idle() {
  watchForIdle();
  if (!state.device || state.entry || ["sent", "thanks"].includes(state.dialog?.name)) return;
  if (isHalfChosen() && Date.now() - touchedAt < CHOOSING * 1000) return;
  if (isAbandoned()) leaveBehind();
  startAnew();
  const ask = state.cart.length > 0 && state.cart !== askedAbout && priced(state.cart, state.menu).orderable;
  askedAbout = state.cart;
  change({ dialog: ask ? { name: "idle" } : null });
  search("");
  if (!state.cart.length) renewPage();
}

// A table talks over what to choose for longer than it looks at a menu.
function isHalfChosen() {
  return state.dialog?.name === "item" && state.dialog.entered;
}

// Of a party that has ordered nothing nobody says that it is over. How long it had been still before a reload is not known.
function isAbandoned() {
  return !state.party.session && Date.now() - Math.max(touchedAt, cameUpAt) > GONE * 1000;
}

// A page that runs for weeks takes a new version while nobody is looking.
let renewedAt = Date.now();

async function renewPage() {
  if (Date.now() - renewedAt < RENEW_PAGE * 1000) return;
  renewedAt = Date.now();
  const worker = (await navigator.serviceWorker?.getRegistration())?.active;
  worker?.postMessage("renew");
}

navigator.serviceWorker?.addEventListener("message", ({ data }) => {
  if (data === "renewed" && state.device && !state.cart.length && !state.entry && nobodyThere()) location.reload();
});
