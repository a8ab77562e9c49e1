// From a count in the bar to the cards that it counts: to the one that has waited longest, and with another tap to the next.

import { isNew, isNewCall } from "./news.js";
import { change, state } from "./state.js";

const FOUND_FOR = 5000; // milliseconds for which the card stands out, and another tap goes on from it

// The least comes first. A call for which a waiter is on the way has waited longer than one that nobody has heard, and can wait.
const turns = {
  order: (table) => [table.party, ...table.unsettled].flatMap((bill) => bill?.orders.filter(isNew).map((order) => order.placed_at) ?? []),
  call: (table) => table.calls.map((call) => `${isNewCall(call) ? "new" : "seen"} ${call.opened_at}`),
};

let timer;

export function findNext(kind) {
  const waiting = state.board
    .shown()
    .flatMap((table) => turns[kind](table).sort().slice(0, 1).map((turn) => ({ table, turn })))
    .sort((a, b) => (a.turn < b.turn ? -1 : 1));
  if (!waiting.length) return;
  // After the turn that the last one had then: it has another one once its call is acknowledged.
  const { table: next, turn } = waiting.find((one) => kind === state.found?.kind && one.turn > state.found.turn) ?? waiting[0];
  clearTimeout(timer);
  timer = setTimeout(() => change({ found: null }), FOUND_FOR);
  change({ filter: "", found: { table: next.id, kind, turn } });
  queueMicrotask(() => goTo(next)); // once it is drawn: the filter may have hidden it
}

function goTo(table) {
  const card = document.querySelector(`.card[data-table="${CSS.escape(table.number)}"]`);
  card?.scrollIntoView();
  card?.focus({ preventScroll: true });
}
