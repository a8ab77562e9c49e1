// The line to the server: the stream, and a watch over it, for a board that is wrong must show it at once.

import { Stream } from "/tablet/stream.js";
import { accessToken, request, SignedOut } from "./api.js";
import { BoardState } from "./board_state.js";
import { change, state } from "./state.js";

const PING = 1000; // milliseconds
const SILENT_FOR = 1800; // milliseconds without a sign of the server until the board is called stale
const HEALS_IN = 800; // milliseconds in which a stream that breaks may come back without a word

let stream;

export function connect({ onEvent, onSnapshot }) {
  stream = new Stream({
    path: "/api/v1/staff/events",
    token: accessToken,
    on: {
      event(type, payload) {
        heard();
        onEvent(type, payload);
      },
      async snapshot() {
        const body = await request("GET", "board");
        change({ board: new BoardState(body) });
        heard();
        onSnapshot();
        return body.cursor;
      },
      state(connection) {
        if (connection !== "live") return change({ brokenAt: state.brokenAt ?? Date.now() });
        change({ brokenAt: null });
        heard();
      },
      isFinal: (error) => error instanceof SignedOut,
      ended: () => change({ signedOut: true }),
    },
  });
  stream.run();
  setInterval(ping, PING);
  addEventListener("online", () => stream.hurry());
  addEventListener("offline", () => {
    change({ isLost: true });
    stream.lost();
  });
  document.addEventListener("visibilitychange", ping);
}

// Comes each second, and is seen only if it ends a silence.
function heard() {
  const wasStale = staleSince() !== null;
  Object.assign(state, { lastSign: Date.now(), isLost: false });
  if (wasStale) change({});
}

// The stream itself says something every ten seconds only.
async function ping() {
  if (document.hidden || state.signedOut) return;
  try {
    const answer = await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(PING) });
    if (!answer.ok) return change({ isLost: true });
    if (staleSince()) stream.hurry();
    heard();
  } catch (error) {
    if (error.name !== "TimeoutError") change({ isLost: true }); // a slow answer shows by `lastSign` growing old
  }
}

// Since when what the board shows may be wrong (milliseconds since 1970), or null if it is right.
export function staleSince() {
  const now = Date.now();
  if (state.isLost || now - state.lastSign > SILENT_FOR) return state.lastSign;
  return state.brokenAt !== null && now - state.brokenAt > HEALS_IN ? state.brokenAt : null;
}
