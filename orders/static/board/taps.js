// Moving orders through the kitchen and resolving calls, with a moment to take each tap back before it is sent.

import { readStoreAgain, request } from "./api.js";
import { attempt, say } from "./attempt.js";
import { linesBehind, nextStep } from "./board_state.js";
import { t } from "./i18n.js";
import { acknowledge } from "./news.js";
import { change, page, read, state, write } from "./state.js";

const UNDO = 5000; // milliseconds
const STILL_MEANT = 60 * 1000; // milliseconds for which a tap outlives its page

export function tap(order, line = null) {
  const from = line ? line.status : order.status;
  const { steps } = page.store;
  const status = nextStep(from, steps);
  if (!status) return;
  const others = state.taps.filter((other) => other.order !== order.id || other.sent || (line && other.line && other.line !== line.id));
  change({ taps: [...others, { order: order.id, line: line?.id ?? null, status, from, steps, until: Date.now() + UNDO, sent: false }] });
}

export function tapCall(call) {
  change({ taps: [...state.taps, { call: call.id, until: Date.now() + UNDO, sent: false }] });
}

export function undo(tapped) {
  change({ taps: state.taps.filter((other) => other !== tapped) });
}

// The tap that holds for this line, by itself or with its whole order.
export const tapOf = (order, line) =>
  state.taps.find((tapped) => tapped.order === order.id && (tapped.line === line.id || (tapped.line === null && linesBehind(order).includes(line))));

export const tapOfCall = (call) => state.taps.find((tapped) => tapped.call === call.id);

const subject = (tapped) => tapped.call ?? tapped.order;
const orders = (taps) => taps.flatMap(({ order }) => order ?? []);

export function sendTaps({ last = false } = {}) {
  const due = state.taps.filter((tapped) => !tapped.sent && (last || tapped.until <= Date.now()));
  if (!due.length) return;
  for (const tapped of due) tapped.sent = true;
  if (last) acknowledge(due.map(subject)); // nobody will be there to hear that it was done
  // One after the other within an order: each makes a new version of it.
  for (const id of new Set(due.map(subject))) {
    due.filter((tapped) => subject(tapped) === id).reduce((before, tapped) => before.then(() => send(tapped, last)), Promise.resolve());
  }
}

// Who asks for a table's bill means what they have tapped there, and does not wait for it.
export function sendTapsOf(orders) {
  for (const tapped of state.taps) if (orders.some((order) => order.id === tapped.order)) tapped.until = Date.now();
  sendTaps();
}

async function send(tapped, last) {
  const about = nameOf(tapped);
  const done = await attempt(() => (tapped.call ? resolve(tapped, last) : move(tapped, last)), { about });
  // Only now: what was not done is as new as before, and somebody has to be called to it again.
  if (done) acknowledge([subject(tapped)]);
  else if (tapped.order && tapped.steps !== page.store.steps) say({ name: "stepsChanged", about });
  undo(tapped);
}

// Seconds after the tap whoever made it may look at another table.
function nameOf({ call, order }) {
  const it = call ? state.board.calls.get(call) : state.board.orders.get(order);
  return it ? `${t("table")} ${state.board.tables.get(it.table.id).number} · ${call ? t(it.kind) : `#${it.number}`}` : "";
}

async function move(tapped, last) {
  const order = state.board.orders.get(tapped.order);
  if (!order) return;
  const path = tapped.line ? `orders/${order.id}/lines/${tapped.line}` : `orders/${order.id}`;
  try {
    state.board.takeOrder(await request("PATCH", path, { status: tapped.status, version: order.version }, { last }));
  } catch (error) {
    if (error.code === "ILLEGAL_TRANSITION") await readStoreAgain(); // no event tells that the owner has changed the kitchen's steps
    if (error.code !== "VERSION_CONFLICT" || error.body.current.version <= order.version) throw error;
    state.board.takeOrder(error.body.current);
    if (!stands(tapped)) throw error;
    await move(tapped, last); // somebody was faster at another line of it
  }
}

async function resolve({ call: id }, last) {
  state.board.take({ type: "call.resolved", data: await request("POST", `calls/${id}/resolve`, undefined, { last }) });
}

// Another board was faster: what was tapped here means nothing any more. Of a call that is just what was wanted.
export function dropTapsOvertaken() {
  const dropped = state.taps.filter((tapped) => !tapped.sent && !stands(tapped));
  if (!dropped.length) return;
  acknowledge(orders(dropped));
  change({ taps: state.taps.filter((tapped) => !dropped.includes(tapped)) });
  if (orders(dropped).length) say({ name: "someoneElse" });
}

function stands({ call, order: id, line: lineId, from }) {
  if (call) return state.board.calls.has(call);
  const order = state.board.orders.get(id);
  return from === (lineId ? order?.lines.find((line) => line.id === lineId)?.status : order?.status);
}

// --- When the page goes away ------------------------------------------------------------------------------------

// What is tapped is meant. The first of each order or call is sent with the page's last breath; the others need its
// answer, and are sent when the page is there again, as after a reload.
export function leave() {
  const waiting = state.taps.filter((tapped) => !tapped.sent);
  const isFirst = (tapped) => waiting.find((other) => subject(other) === subject(tapped)) === tapped;
  write("taps", waiting.filter((tapped) => !isFirst(tapped)));
  change({ taps: waiting.filter(isFirst) });
  sendTaps({ last: true });
}

export function comeBack() {
  const kept = read("taps", []).filter((tapped) => stands(tapped) && Date.now() - tapped.until < STILL_MEANT);
  write("taps", []);
  if (kept.length) change({ taps: [...state.taps, ...kept] });
}
