// Calls for staff, on their way until the server has them.

import { Refused, SignedOut } from "../api.js";
import { change, keepWaitingCalls, state } from "../state.js";
import { ask, leaveIfSignedOut } from "./table.js";
import { say } from "./toast.js";

const CALL_AGAIN = 5; // seconds until a call that did not get through is tried again
const CALL_HOLDS = 10 * 60; // seconds for which somebody still wants what they called for

// Also one that is open already is sent: whether staff have taken it meanwhile, only the server knows for certain.
export async function call(kind) {
  if (!state.calls[kind]) setCall(kind, { state: "waiting", since: Date.now() });
  await sendCall(kind, true);
}

const onTheWay = new Set(); // kinds

async function sendCall(kind, aloud = false) {
  if (onTheWay.has(kind)) return;
  onTheWay.add(kind);
  try {
    await ask("POST", "calls", { body: { kind } });
    setCall(kind, { state: "open" });
    if (aloud) say({ name: "callSent", kind });
  } catch (error) {
    if (error instanceof SignedOut) return leaveIfSignedOut(error);
    if (error instanceof Refused && error.status !== 429) {
      setCall(kind, null);
      return say({ name: "callFailed", kind });
    }
    if (aloud) {
      const { since = Date.now() } = state.calls[kind] ?? {};
      setCall(kind, { state: "waiting", since }); // also after one that was open: staff may have taken it
      say({ name: "callQueued", kind });
    }
    setTimeout(sendWaitingCalls, CALL_AGAIN * 1000);
  } finally {
    onTheWay.delete(kind);
  }
}

export function sendWaitingCalls() {
  for (const [kind, { state: now, since }] of Object.entries(state.calls)) {
    if (now !== "waiting") continue;
    if (Date.now() - since < CALL_HOLDS * 1000) sendCall(kind);
    else {
      setCall(kind, null);
      say({ name: "callFailed", kind });
    }
  }
}

export function takeCall({ kind, state: now }) {
  setCall(kind, now === "open" ? { state: "open" } : null);
}

function setCall(kind, now) {
  const { [kind]: _, ...calls } = state.calls;
  change({ calls: now ? { ...calls, [kind]: now } : calls });
  keepWaitingCalls();
}
