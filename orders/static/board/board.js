// Begins.

import { render } from "/tablet/html.js";
import { start } from "./actions.js";
import { speak } from "./i18n.js";
import { onChange, state } from "./state.js";
import { view } from "./views.js";

const root = document.getElementById("board");

onChange(() => {
  speak(state.language);
  render(view(), root);
  const dialog = root.querySelector("dialog");
  if (dialog && !dialog.open) {
    dialog.showModal();
    dialog.querySelector("h2").focus();
  }
});
start();
