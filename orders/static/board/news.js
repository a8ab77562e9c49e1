// New orders and calls: they stand out and sound until somebody has touched them, at each board by itself.

import { alarm, isAllowed, switchOff, switchOn } from "./sound.js";
import { change, choose, state, write } from "./state.js";

// What is tapped is touched, unless the tap is taken back or fails.
export const isNew = (order) => order.status === "pending" && !state.seen.has(order.id) && !state.taps.some((tapped) => tapped.order === order.id);

export const isNewCall = (call) => !state.seen.has(call.id) && !state.taps.some((tapped) => tapped.call === call.id);

export const unseenFor = (order) => Math.max(0, Math.floor((state.now - Date.parse(order.placed_at)) / 1000)); // seconds
export const isLate = (order) => unseenFor(order) > state.escalateAfter;

export function newOrders() {
  return state.board ? [...state.board.orders.values()].filter(isNew) : [];
}

export function newCalls() {
  return state.board ? [...state.board.calls.values()].filter(isNewCall) : [];
}

export function acknowledge(ids) {
  for (const id of ids) state.seen.add(id);
  write("seen", [...state.seen].slice(-500));
  change({});
}

// One sound at a time, and the orders' first: whoever comes to look finds the calls too.
export function soundIfNew() {
  if (!state.sound) return;
  const orders = newOrders();
  if (orders.length) alarm("order", { loud: orders.some(isLate) });
  else if (newCalls().length) alarm("call");
}

export async function toggleSound() {
  const wantsSound = !state.sound;
  choose("wantsSound", wantsSound);
  if (wantsSound) change({ sound: await switchOn({ aloud: true }) });
  else {
    switchOff();
    change({ sound: false });
  }
}

// It was on before: any touch of the page brings it back.
export async function soundAgain(event) {
  if (!state.wantsSound || state.sound || event?.target.closest?.("[data-action=sound]")) return;
  if (event || isAllowed()) change({ sound: await switchOn() });
}
