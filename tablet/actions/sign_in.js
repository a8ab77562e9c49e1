// Signing in and out by hand, with the table's password.

import { signIn, Unreachable } from "../api.js";
import { change, keepOwnPrefs, recall, state } from "../state.js";
import { start } from "./connection.js";
import { signedOut } from "./table.js";

export const setUp = ({ store, table, password }) =>
  withPassword(async () => {
    change({ device: await signIn(store.trim(), table.trim(), password) });
    keepOwnPrefs();
    recall();
    start();
  }, "wrongCredentials");

// Staff know the password; a guest's child that presses for long enough doesn't.
export const signOutByHand = ({ password }) =>
  withPassword(async () => {
    const { store, table } = state.device;
    await signIn(store.code, table.number, password);
    signedOut(null);
  }, "wrongPassword");

async function withPassword(work, wrong) {
  change({ busy: true, notice: null });
  try {
    await work();
  } catch (error) {
    if (error instanceof Unreachable) change({ notice: { name: "noConnection" } });
    else if (error.status === 429) change({ notice: { name: "tryLater", values: { minutes: Math.ceil(error.retryAfter / 60) } } });
    else change({ notice: { name: wrong } });
  } finally {
    change({ busy: false });
  }
}
