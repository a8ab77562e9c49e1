// Prices and times as the store's people write them.

import { page, state } from "./state.js";

const made = new Map(); // making a format takes far longer than using it

function format(Kind, options) {
  const key = JSON.stringify([Kind.name, state.language, options]);
  if (!made.has(key)) made.set(key, new Kind(state.language, options));
  return made.get(key);
}

export function money(amount) {
  const prices = format(Intl.NumberFormat, { style: "currency", currency: page.store.currency, currencyDisplay: "narrowSymbol" });
  return prices.format(amount / 10 ** prices.resolvedOptions().maximumFractionDigits);
}

const TIME = { hour: "numeric", minute: "2-digit" };
const DAY = { month: "short", day: "numeric" };

const written = (at, options) => format(Intl.DateTimeFormat, { ...options, timeZone: page.store.timezone }).format(at);
const dayOf = (at) => written(at, { year: "numeric", ...DAY });

// What was not today says of which day it is: a bill may have stood open since yesterday.
export function clock(text) {
  const at = new Date(text);
  return written(at, dayOf(at) === dayOf(state.now) ? TIME : { ...DAY, ...TIME });
}
