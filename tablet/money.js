// Prices: whole numbers of the currency's smallest unit, shown as people write them.

import { state } from "./state.js";

const formats = new Map();

export function money(amount) {
  const currency = state.device?.store.currency ?? "KRW";
  const key = `${state.prefs.language} ${currency}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(state.prefs.language, { style: "currency", currency, currencyDisplay: "narrowSymbol" }));
  const format = formats.get(key);
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

export const signed = (amount) => (amount > 0 ? `+${money(amount)}` : money(amount));

export function clock(at) {
  return new Intl.DateTimeFormat(state.prefs.language, { hour: "numeric", minute: "2-digit", timeZone: state.device?.store.timezone }).format(new Date(at));
}
