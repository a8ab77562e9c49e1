// Calls for staff, on their way until the server has them.

import { Refused, SignedOut } from "../api.js";
import { change, keepWaitingCalls, state } from "../state.js";
import { ask, leaveIfSignedOut } from "./table.js";
import { say } from "./toast.js";

const CALL_AGAIN = 5; // seconds until a call that did not get through is tried again, and one that did is worth another
const CALL_HOLDS = 10 * 60; // seconds for which somebody still wants what they called for

// Also one that is open already is sent: whether staff have taken it meanwhile, only the server knows for certain. But a
// child that taps and taps must not use up what a tablet may ask in a minute, for that is what orders need too.
export async function call(kind) {
  const known = state.calls[kind];
  const isFresh = known?.state === "open" && Date.now() - known.since < CALL_AGAIN * 1000;
  if (isFresh && state.connection === "live") return say({ name: "callSent", kind });
  if (!known) setCall(kind, "waiting");
  await sendCall(kind, true);
}

const onTheWay = new Set(); // kinds

async function sendCall(kind, aloud = false) {
  if (onTheWay.has(kind)) return;
  onTheWay.add(kind);
  try {
    await ask("POST", "calls", { body: { kind } });
    setCall(kind, "open");
    if (aloud) say({ name: "callSent", kind });
  } catch (error) {
    if (error instanceof SignedOut) return leaveIfSignedOut(error);
    if (error instanceof Refused && error.status !== 429) {
      setCall(kind, null);
      return say({ name: "callFailed", kind });
    }
    if (aloud) {
      if (state.calls[kind]?.state !== "waiting") setCall(kind, "waiting"); // it was open, but staff may have taken it
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
  setCall(kind, now === "open" ? now : null);
}

function setCall(kind, now) {
  const { [kind]: _, ...calls } = state.calls;
  change({ calls: now ? { ...calls, [kind]: { state: now, since: Date.now() } } : calls });
  keepWaitingCalls();
}
