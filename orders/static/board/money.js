// Prices and times as the store's people write them.

import { page, state } from "./state.js";

export function money(amount) {
  const format = new Intl.NumberFormat(state.language, { style: "currency", currency: page.store.currency, currencyDisplay: "narrowSymbol" });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

export const clock = (at) => new Intl.DateTimeFormat(state.language, { hour: "numeric", minute: "2-digit", timeZone: page.store.timezone }).format(new Date(at));
