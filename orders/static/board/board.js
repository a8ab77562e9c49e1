// Begins.

import { render } from "/tablet/html.js";
import { start } from "./actions.js";
import { speak } from "./i18n.js";
import { newOrders } from "./news.js";
import { change, onChange, page, state } from "./state.js";
import { view } from "./views.js";

const root = document.getElementById("board");

let cameFrom = null; // where the focus was before something came to lie over the board

onChange(() => {
  speak(state.language);
  const fresh = newOrders().length;
  document.title = `${fresh ? `(${fresh}) ` : ""}${page.store.name}`;
  const before = document.activeElement;
  const around = before.closest("[data-line], [data-order], [data-table], dialog");
  render(view(), root);
  const dialog = root.querySelector("dialog");
  if (dialog && !dialog.open) {
    cameFrom ??= before;
    dialog.showModal();
    dialog.querySelector("h2").focus();
  } else if (!dialog && cameFrom) {
    if (cameFrom.isConnected) cameFrom.focus({ preventScroll: true });
    cameFrom = null;
  } else if (!before.isConnected) (around?.isConnected ? around : root).querySelector("button")?.focus({ preventScroll: true });
});
addEventListener("resize", () => change({}));
start();
