// Prices and times, as people write them.

import { price } from "./screen.js";
import { state } from "./state.js";

export const money = (amount) => price(amount, state.device?.store.currency ?? "KRW", state.prefs.language);

export const signed = (amount) => (amount > 0 ? `+${money(amount)}` : money(amount));

export function clock(at) {
  return new Intl.DateTimeFormat(state.prefs.language, { hour: "numeric", minute: "2-digit", timeZone: state.device?.store.timezone }).format(new Date(at));
}
