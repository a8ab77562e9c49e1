// What staff and the network do to the state.

import { Stream } from "/tablet/stream.js";
import { accessToken, all, Refused, request, SignedOut } from "./api.js";
import { BoardState, linesBehind, nextStep } from "./board_state.js";
import { beep } from "./sound.js";
import { change, page, state, write } from "./state.js";

export const UNDO = 5000; // milliseconds
const PING = 1000; // milliseconds
const STALE_AFTER = 1500; // milliseconds without a sign of the server

let stream;

export function start() {
  stream = new Stream({
    path: "/api/v1/staff/events",
    token: accessToken,
    on: {
      event: take,
      snapshot,
      state: (connection) => connection !== "offline" && change({ lastSign: Date.now() }),
      isFinal: (error) => error instanceof SignedOut,
      ended: () => change({ signedOut: true }),
    },
  });
  stream.run();
  setInterval(tick, 500);
  setInterval(ping, PING);
  addEventListener("online", () => stream.hurry());
  addEventListener("pagehide", () => sendTaps({ last: true }));
}

async function snapshot() {
  const body = await request("GET", "board");
  change({ board: new BoardState(body), lastSign: Date.now() });
  return body.cursor;
}

function take(type, payload) {
  state.board.take(payload);
  dropTapsOvertaken();
  change({ lastSign: Date.now() });
}

// The stream says something every ten seconds. A board that is wrong must show it sooner.
async function ping() {
  if (document.hidden || state.signedOut) return;
  try {
    const answer = await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(PING) });
    if (!answer.ok) return;
    if (isStale()) stream.hurry();
    change({ lastSign: Date.now() });
  } catch {
    // `lastSign` grows old by itself
  }
}

export const isStale = () => state.now - state.lastSign > STALE_AFTER;

function tick() {
  change({ now: Date.now() });
  sendTaps();
  if (state.sound && newOrders().length) beep();
}

// --- New orders ---------------------------------------------------------------------------------------------------

export const isNew = (order) => order.status === "pending" && !state.seen.has(order.id);

export function newOrders() {
  return state.board ? [...state.board.orders.values()].filter((order) => isNew(order) && onBoard(order)) : [];
}

const onBoard = (order) => ["active", "expired"].includes(state.board.sessions.get(order.session)?.state);

export function acknowledge(orders) {
  for (const order of orders) state.seen.add(order.id);
  write("seen", [...state.seen].slice(-500));
  change({});
}

// --- Moving, with a moment to take it back ----------------------------------------------------------------------

export function tap(order, line = null) {
  const status = nextStep(line ? line.status : order.status, page.store.steps);
  if (!status) return;
  acknowledge([order]);
  const others = state.taps.filter((other) => other.order !== order.id || (line && other.line && other.line !== line.id));
  change({ taps: [...others, { order: order.id, line: line?.id ?? null, status, from: line ? line.status : order.status, until: Date.now() + UNDO }] });
}

export function undo(tapped) {
  change({ taps: state.taps.filter((other) => other !== tapped) });
}

// The tap that waits for this line, by itself or with its whole order.
export const tapOf = (order, line) =>
  state.taps.find((tapped) => tapped.order === order.id && (tapped.line === line.id || (tapped.line === null && linesBehind(order).includes(line))));

function sendTaps({ last = false } = {}) {
  const due = state.taps.filter((tapped) => last || tapped.until <= Date.now());
  if (!due.length) return;
  change({ taps: state.taps.filter((tapped) => !due.includes(tapped)) });
  // One after the other within an order: each makes a new version of it.
  for (const id of new Set(due.map((tapped) => tapped.order))) {
    due.filter((tapped) => tapped.order === id).reduce((before, tapped) => before.then(() => send(tapped, last)), Promise.resolve());
  }
}

async function send({ order: id, line, status }, last) {
  const order = state.board.orders.get(id);
  const path = line ? `orders/${id}/lines/${line}` : `orders/${id}`;
  await attempt(async () => state.board.takeOrder(await request("PATCH", path, { status, version: order.version }, { last })));
}

// Another board was faster: what was tapped here means nothing any more.
function dropTapsOvertaken() {
  const stands = (tapped) => {
    const order = state.board.orders.get(tapped.order);
    const now = tapped.line ? order?.lines.find((line) => line.id === tapped.line)?.status : order?.status;
    return now === tapped.from;
  };
  if (state.taps.some((tapped) => !stands(tapped))) {
    change({ taps: state.taps.filter(stands) });
    say({ name: "someoneElse" });
  }
}

// --- Everything else ------------------------------------------------------------------------------------------------

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

export const resolve = (call) =>
  attempt(async () => {
    const resolved = await request("POST", `calls/${call.id}/resolve`);
    state.board.take({ type: "call.resolved", data: resolved });
  });

export const cancel = (order, { reason, lines }) =>
  attempt(async () => state.board.takeOrder(await request("POST", `orders/${order.id}/cancel`, { reason, lines, version: order.version })));

export const complete = (table, session, force) =>
  attempt(async () => {
    const done = await request("POST", `tables/${table.id}/complete`, { session: session.id, force });
    state.board.take({ type: "session.completed", table: table.id, data: done.session });
  });

export const loadMenu = async () => ({ items: await all("items"), groups: await all("option-groups") });

export const setSoldOut = (kind, row, soldOut) => attempt(async () => Object.assign(row, { sold_out: (await request("PATCH", `${kind}/${row.id}`, { sold_out: soldOut })).sold_out ?? soldOut }));

let toastTimer;

export function say(toast) {
  clearTimeout(toastTimer);
  change({ toast });
  toastTimer = setTimeout(() => change({ toast: null }), 5000);
}
