// The one state of the page. Views read it; `change` draws them again.

import { drawn } from "./screen.js";
import { read, write } from "./storage.js";

const preferred = navigator.language?.startsWith("ko") ? "ko" : "en";

// As whoever set the tablet up has seen it: so each party finds it.
const ownPrefs = () => ({ language: preferred, largeType: false, highContrast: false, ...read("ownPrefs") });

export const state = {
  device: read("device"), // {access, refresh, expires_at, endsAt, store, table} once signed in
  notice: null, // why the set-up is shown again
  prefs: { ...ownPrefs(), ...read("prefs") },
  menu: null, // as the API says it, with its etag
  category: null, // id of the category in view
  query: "",
  party: { session: null, orders: [] },
  unreadBill: null, // true while something on it was cancelled that the guest has not seen
  cart: [],
  cartNote: "",
  entry: null, // the order under way, see outbox.js
  seconds: 0, // until the page goes back to the menu
  calls: {}, // kind -> {state: "waiting" | "open", since (milliseconds)}
  toast: null,
  lostPictures: new Set(), // addresses from which nothing came
  connection: "connecting", // then "live" | "polling" | "offline"
  dialog: null, // {name, ...}: what lies over the menu
  busy: false,
};

export const { change, onChange } = drawn(state);

// What must outlive a reload is kept for one store and table: another table's cart is none of ours.
const place = () => (state.device ? `${state.device.store.id}.${state.device.table.id}.` : "");

export function recall() {
  change({
    cart: kept("cart") ?? [],
    cartNote: kept("cartNote") ?? "",
    entry: kept("entry"),
    menu: keptMenu(),
    calls: kept("waitingCalls") ?? {},
    party: kept("party") ?? { session: null, orders: [] },
    unreadBill: kept("unreadBill"),
  });
}

export const kept = (name) => read(place() + name);

export function keep(name, value) {
  write(place() + name, value);
  change({ [name]: value });
}

// One menu, that of the present store. It can be read again, and with the signed addresses of all its pictures it is large:
// where there is no room for it, the tablet goes on without.
export function keepMenu(menu) {
  try {
    write("menu", { ...menu, store: state.device.store.id });
  } catch {
    write("menu", null);
  }
  change({ menu });
}

function keptMenu() {
  const menu = read("menu");
  return menu && menu.store === state.device?.store.id ? menu : null;
}

export const waitingCalls = () => Object.fromEntries(Object.entries(state.calls).filter(([, call]) => call.state === "waiting"));

export const keepWaitingCalls = () => write(place() + "waitingCalls", waitingCalls());

export function setPrefs(patch) {
  const prefs = { ...state.prefs, ...patch };
  write("prefs", prefs);
  change({ prefs });
}

// Where the tablet was, without any token: for staff who set it up again. What the address says is of the table before.
export function keepOwnPlace() {
  write("ownPlace", { store: state.device.store.code, table: state.device.table.number });
  history.replaceState(null, "", location.pathname);
}

export const ownPlace = () => read("ownPlace") ?? {};

export const keepOwnPrefs = () => write("ownPrefs", state.prefs);
export const resetPrefs = () => setPrefs(ownPrefs());
