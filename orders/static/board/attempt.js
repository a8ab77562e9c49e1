// Doing something that the server has a say in, and telling people what came of it.

import { Refused, SignedOut } from "./api.js";
import { change, state } from "./state.js";

// Was it done? If not, the person is told why. `about`: what it was done to, where that is not what they look at.
export async function attempt(work, { about = "", tell = say } = {}) {
  try {
    await work();
    unsay(about);
    return true;
  } catch (error) {
    if (error instanceof SignedOut) change({ signedOut: true });
    else if (error instanceof Refused && error.body.current) {
      state.board.takeOrder(error.body.current);
      tell({ name: "someoneElse", about });
    } else if (error instanceof Refused) tell({ name: "notDone", values: { detail: error.message }, about });
    else tell({ name: "noNetwork", about });
    return false;
  }
}

let toastTimer;

// Without a network several taps fail at once: the last must not hide of which tables the others were.
export function say({ name, values = {}, about = "" }) {
  const others = state.toast?.name === name ? state.toast.about.filter((other) => other !== about) : [];
  clearTimeout(toastTimer);
  change({ toast: { name, values, about: [...others, about] } });
  toastTimer = setTimeout(() => change({ toast: null }), 5000);
}

// Now it is done. What was said of something else is not taken back: the menu is read, and taps are sent, at any time.
function unsay(about) {
  const others = state.toast?.about.filter((other) => other !== about) ?? [];
  change({ toast: others.length ? { ...state.toast, about: others } : null });
}
