// Begins: what is remembered is on the screen before the network is asked for anything.

import { start, touched } from "./actions.js";
import { render } from "./html.js";
import { speak } from "./i18n.js";
import { onChange, recall, state } from "./state.js";
import { page } from "./views/page.js";

const root = document.getElementById("app");

let cameFrom = null; // where the focus was before a sheet lay over the page

function draw() {
  const { language, largeType, highContrast } = state.prefs;
  speak(language);
  document.documentElement.classList.toggle("large-type", largeType);
  document.documentElement.classList.toggle("high-contrast", highContrast);
  const before = document.activeElement;
  render(page(), root);
  const dialog = root.querySelector("dialog");
  if (dialog && !dialog.open) {
    cameFrom = before;
    dialog.showModal();
    dialog.querySelector("h2")?.focus();
  } else if (!dialog && cameFrom) {
    if (cameFrom.isConnected) cameFrom.focus({ preventScroll: true });
    cameFrom = null;
  }
}

onChange(draw);
for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, touched, { passive: true });
touched();
recall();
draw();
if (state.device) start();
if ("serviceWorker" in navigator) navigator.serviceWorker.register("sw.js").catch(() => {}); // plain http: none, and none needed
