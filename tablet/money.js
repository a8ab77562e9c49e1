// Prices and times, as people write them.

import { price } from "./screen.js";
import { state } from "./state.js";

export const money = (amount) => price(amount, state.device?.store.currency ?? "KRW", state.prefs.language);

export const signed = (amount) => (amount > 0 ? `+${money(amount)}` : money(amount));

const clocks = new Map(); // to make one takes far longer than to use it

export function clock(at) {
  const { language } = state.prefs;
  const timeZone = state.device?.store.timezone;
  const key = `${language} ${timeZone}`;
  if (!clocks.has(key)) clocks.set(key, new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit", timeZone }));
  return clocks.get(key).format(new Date(at));
}
