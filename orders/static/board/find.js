// From a count in the bar to the cards that it counts: to the one that has waited longest, and with another tap to the next.

import { isNew } from "./news.js";
import { change, state } from "./state.js";

const FOUND_FOR = 5000; // milliseconds for which the card stands out, and another tap goes on from it

const waitingSince = {
  order: (table) => [table.party, ...table.unsettled].flatMap((bill) => bill?.orders.filter(isNew).map((order) => order.placed_at) ?? []).sort()[0],
  call: (table) => table.calls.map((call) => call.opened_at).sort()[0],
};

let timer;

export function findNext(kind) {
  const since = waitingSince[kind];
  const waiting = state.board.shown().filter(since).sort((a, b) => (since(a) < since(b) ? -1 : 1));
  if (!waiting.length) return;
  const last = waiting.findIndex((table) => table.id === state.found?.table && kind === state.found.kind);
  const next = waiting[(last + 1) % waiting.length];
  clearTimeout(timer);
  timer = setTimeout(() => change({ found: null }), FOUND_FOR);
  change({ filter: "", found: { table: next.id, kind } });
  queueMicrotask(() => goTo(next)); // once it is drawn: the filter may have hidden it
}

function goTo(table) {
  const card = document.querySelector(`.card[data-table="${CSS.escape(table.number)}"]`);
  card?.scrollIntoView();
  card?.focus({ preventScroll: true });
}
