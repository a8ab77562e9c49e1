// Nobody there: what becomes of the cart, of how a party liked to read, and of the page.

import { priced } from "../cart.js";
import { change, resetPrefs, state } from "../state.js";
import { clearCart } from "./cart.js";
import { search } from "./menu.js";

const IDLE = 60; // seconds without a touch
const CHOOSING = 3 * 60; // seconds without a touch for which a dish that is half chosen stays open
const GONE = 30 * 60; // seconds without a touch after which a party that has ordered nothing has left
const RENEW_PAGE = 60 * 60; // seconds between two looks for a new version of the page

let idleTimer;
let touchedAt = 0; // nobody yet: a page that has just come up is not in anybody's hands
const cameUpAt = Date.now();
let askedAbout = null; // the cart that we have asked about: once for each

export const nobodyThere = () => Date.now() - touchedAt > IDLE * 1000;

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

let leftBehind = null; // {prefs, cart, cartNote} of a party that is over, until nobody is at the tablet

export const leaveBehind = () => (leftBehind = { prefs: state.prefs, cart: state.cart, cartNote: state.cartNote });

// What has changed since, the next party has chosen.
export function startAnew() {
  if (!leftBehind) return;
  const { prefs, cart, cartNote } = leftBehind;
  leftBehind = null;
  if (prefs === state.prefs) resetPrefs();
  if (cart === state.cart && cartNote === state.cartNote && !state.entry) clearCart();
}

// A page that runs for weeks takes a new version while nobody is looking.
let renewedAt = Date.now();

async function renewPage() {
  if (Date.now() - renewedAt < RENEW_PAGE * 1000) return;
  renewedAt = Date.now();
  const registration = await navigator.serviceWorker?.getRegistration();
  registration?.active?.postMessage("renew");
  registration?.update().catch(() => {}); // a version with other files has another worker, which brings them and takes over
}

function takeNewVersion() {
  if (state.device && !state.cart.length && !state.entry && nobodyThere()) location.reload();
}

let controlled = Boolean(navigator.serviceWorker?.controller); // the first worker brings what is already there

navigator.serviceWorker?.addEventListener("message", ({ data }) => {
  if (data === "renewed") takeNewVersion();
});
navigator.serviceWorker?.addEventListener("controllerchange", () => {
  if (controlled) takeNewVersion();
  controlled = true;
});
