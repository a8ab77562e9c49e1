// What is said in passing.

import { change } from "../state.js";

let toastTimer;

export function say(toast) {
  clearTimeout(toastTimer);
  change({ toast });
  toastTimer = setTimeout(() => change({ toast: null }), 4000);
}
