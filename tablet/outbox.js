// The order under way: from the guest's "send" to the server's final word.
//
// An entry is written down with its key and its frozen content before it is first sent, and the key never changes:
// however often it is sent, through reloads and lost answers, the server makes one order of it.
//
//   waiting -> done     the server has it
//           -> refused  the server has said no: nothing was stored
//           -> asking   nobody could be reached for so long that the guest must say whether it is still wanted

import { Refused, SignedOut } from "./api.js";
import { newKey } from "./storage.js";

const STALE = 10 * 60 * 1000; // milliseconds
export const LONG = 30 * 1000; // milliseconds after which a guest had better ask staff
const FIRST_PAUSE = 800;
const LONGEST_PAUSE = 15000;

export function newEntry({ lines, total, session, note, table }, now = Date.now()) {
  return {
    key: newKey(),
    table,
    body: {
      lines: lines.map(({ item, quantity, options, note }) => ({ item, quantity, options, note })),
      expected_total: total,
      session,
      ...(note ? { note } : {}),
    },
    shown: lines.map(({ key, name, unit, chosen }) => ({ key, name, unit, options: chosen.map((option) => ({ id: option.id, name: option.name })) })), // what the guest has seen and said yes to
    state: "waiting",
    since: now,
    attempts: 0,
  };
}

// What becomes of an entry after an attempt. Pure, so that each case can be tested.
export function after(entry, outcome) {
  if (outcome instanceof Refused) {
    // Too many requests, or the token is being renewed: it is not about this order.
    if (outcome.status === 429 || outcome.status === 401) return { ...entry, attempts: entry.attempts + 1, wait: outcome.retryAfter * 1000 };
    return { ...entry, state: "refused", reason: { code: outcome.code, ...outcome.body } };
  }
  if (outcome instanceof Error) return { ...entry, attempts: entry.attempts + 1, unsure: true, wait: 0 };
  return { ...entry, state: "done", order: outcome };
}

// Milliseconds until the next attempt: doubling, with jitter so that a room full of tablets does not knock as one.
export function pause(entry, random = Math.random()) {
  const doubled = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.max(0, entry.attempts - 1));
  return Math.max(entry.wait ?? 0, doubled * (0.5 + random));
}

export const takesLong = (entry, now = Date.now()) => now - entry.since >= LONG;

export function isStale(entry, now = Date.now()) {
  return entry.state === "waiting" && now - entry.since > STALE;
}

// Keeps at it until the entry is no longer waiting, or the tablet no longer the table's. `save` is called with every
// state before anything depends on it.
export class Outbox {
  constructor({ send, save, onSignedOut }) {
    Object.assign(this, { send, save, onSignedOut, running: false, stopped: false });
  }

  // The entry stays as it is: it is sent when the tablet is this table's again. What has arrived is found by its key.
  stop() {
    this.stopped = true;
    this.wake?.();
  }

  async deliver(entry) {
    if (this.running) return;
    this.running = true;
    try {
      while (entry?.state === "waiting" && !this.stopped) {
        if (isStale(entry)) entry = { ...entry, state: "asking" };
        else entry = await this.attempt(entry);
        if (this.stopped) return;
        this.save(entry);
        if (entry.state === "waiting") await this.nap(pause(entry));
      }
    } catch (error) {
      if (!(error instanceof SignedOut)) throw error;
      this.onSignedOut(error);
    } finally {
      this.running = false;
    }
  }

  async attempt(entry) {
    try {
      return after(entry, await this.send(entry));
    } catch (error) {
      if (error instanceof SignedOut) throw error;
      return after(entry, error);
    }
  }

  nap(milliseconds) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, milliseconds);
    });
  }
}
