// What staff and the network do to the state.

import { readAgain } from "/tablet/screen.js";
import { all, request } from "./api.js";
import { attempt } from "./attempt.js";
import { connect, staleSince } from "./connection.js";
import { t } from "./i18n.js";
import { newOrders, soundAgain, soundIfNew } from "./news.js";
import { change, state } from "./state.js";
import { comeBack, dropTapsOvertaken, leave, sendTaps } from "./taps.js";

export function start() {
  connect({ onEvent, onSnapshot });
  setInterval(tick, 500);
  addEventListener("pagehide", leave);
  for (const touch of ["click", "keydown"]) addEventListener(touch, soundAgain);
  soundAgain();
}

let isFirst = true;

function onSnapshot() {
  if (isFirst) comeBack();
  isFirst = false;
  dropTapsOvertaken();
  refreshMenu(); // what changed before the snapshot is in none of the events after it
}

function onEvent(type, payload) {
  if (type === "menu.changed") return void refreshMenu();
  state.board.take(payload);
  dropTapsOvertaken();
  change({});
}

function tick() {
  sendTaps();
  soundIfNew();
  if (readsDifferently()) change({});
}

let wasStale = false;

// A tap's undo, an order that nobody has seen and a lost connection are told in seconds, all else in minutes: of those
// ten seconds more or less are no matter. A board that stands there all day must not keep its machine busy.
function readsDifferently() {
  const isStale = staleSince() !== null;
  const step = isStale || state.taps.length || newOrders().length ? 1000 : 10_000;
  const isDue = isStale !== wasStale || Math.floor(Date.now() / step) !== Math.floor(state.now / step);
  wasStale = isStale;
  return isDue;
}

export async function cancel(order, { reason, lines }) {
  state.board.takeOrder(await request("POST", `orders/${order.id}/cancel`, { reason, lines, version: order.version }));
}

export async function complete(table, session, force) {
  const done = await request("POST", `tables/${table.id}/complete`, { session: session.id, force });
  state.board.take({ type: "session.completed", table: table.id, data: done.session });
}

const MENU_REST = 2000; // milliseconds: a busy evening changes the menu all the time, and a token may ask a hundred times a minute

// While somebody looks at it: `openSoldOut` asks anyway.
export const refreshMenu = readAgain({
  read: () => attempt(loadMenu, { about: t("soldOutPanel") }),
  isWanted: () => state.dialog?.name === "soldOut" && !state.signedOut,
  rest: () => MENU_REST,
});

async function loadMenu() {
  const [items, groups] = await Promise.all([all("items"), all("option-groups")]);
  change({ menu: { items, groups } });
}

export async function setStock(item, stock) {
  await request("PATCH", `items/${item.id}`, { stock });
  item.stock = stock;
}

export async function setSoldOut(kind, row, soldOut) {
  if (state.switching.includes(row.id)) return; // a second tap
  change({ switching: [...state.switching, row.id] });
  const work = async () => {
    await request("PATCH", `${kind}/${row.id}`, { sold_out: soldOut });
    row.sold_out = soldOut;
  };
  await attempt(work, { about: row.name });
  change({ switching: state.switching.filter((id) => id !== row.id) });
}
