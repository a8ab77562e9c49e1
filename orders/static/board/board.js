// Begins.

import { render } from "/tablet/html.js";
import { start } from "./actions.js";
import { speak } from "./i18n.js";
import { newCalls, newOrders } from "./news.js";
import { change, onChange, page, state } from "./state.js";
import { measureAgain, view } from "./views.js";

const root = document.getElementById("board");

let spoken = null; // setting `lang`, even to what it was, has the browser style the whole page again
let cameFrom = null; // where the focus was before something came to lie over the board

onChange(() => {
  state.now = Date.now();
  if (spoken !== state.language) speak((spoken = state.language));
  const fresh = newOrders().length + newCalls().length;
  const title = `${fresh ? `(${fresh}) ` : ""}${page.store.name}`;
  if (document.title !== title) document.title = title;
  const before = document.activeElement;
  const around = placesAround(before);
  render(view(), root);
  const dialog = root.querySelector("dialog");
  if (dialog && !dialog.open) {
    cameFrom ??= before;
    dialog.showModal();
    dialog.querySelector("h2").focus();
  } else if (!dialog && cameFrom) {
    if (cameFrom.isConnected) cameFrom.focus({ preventScroll: true });
    cameFrom = null;
  } else if (!before.isConnected) focusIn(dialog ?? root, around);
});

// The smallest first. By name: whatever is drawn elsewhere is another element.
function placesAround(element) {
  const names = ["data-line", "data-called", "data-dish", "data-order", "data-table"].filter((name) => element.closest(`[${name}]`));
  return names.map((name) => `[${name}="${CSS.escape(element.closest(`[${name}]`).getAttribute(name))}"]`);
}

// What had the focus is gone: something to use has come in its place, or its place keeps the focus.
function focusIn(whole, places) {
  const place = whole.querySelector(places.find((selector) => whole.querySelector(selector)) ?? "button");
  const inside = place?.matches(".card") ? null : place?.querySelector("input, button");
  (inside ?? place)?.focus({ preventScroll: true });
}

addEventListener("resize", () => {
  measureAgain();
  change({});
});
start();
