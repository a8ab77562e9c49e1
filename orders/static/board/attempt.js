// Doing something that the server has a say in, and telling people what came of it.

import { Refused, SignedOut } from "./api.js";
import { change, state } from "./state.js";

// Was it done? If not, the person is told why.
export async function attempt(work) {
  try {
    await work();
    change({});
    return true;
  } catch (error) {
    if (error instanceof SignedOut) change({ signedOut: true });
    else if (error instanceof Refused && error.body.current) {
      state.board.takeOrder(error.body.current);
      say({ name: "someoneElse" });
    } else if (error instanceof Refused) say({ name: "notDone", values: { detail: error.message } });
    else say({ name: "noNetwork" });
    return false;
  }
}

let toastTimer;

export function say(toast) {
  clearTimeout(toastTimer);
  change({ toast });
  toastTimer = setTimeout(() => change({ toast: null }), 5000);
}
