// Prices and times as the store's people write them.

import { price } from "/tablet/screen.js";
import { page, state } from "./state.js";

export const money = (amount) => price(amount, page.store.currency, state.language);

const made = new Map(); // to make one takes far longer than to use it

function format(options) {
  const key = JSON.stringify([state.language, options]);
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(state.language, options));
  return made.get(key);
}

const TIME = { hour: "numeric", minute: "2-digit" };
const DAY = { month: "short", day: "numeric" };

const written = (at, options) => format({ ...options, timeZone: page.store.timezone }).format(at);
const dayOf = (at) => written(at, { year: "numeric", ...DAY });

// What was not today says of which day it is: a bill may have stood open since yesterday.
export function clock(text) {
  const at = new Date(text);
  return written(at, dayOf(at) === dayOf(state.now) ? TIME : { ...DAY, ...TIME });
}
