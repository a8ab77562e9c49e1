// Begins: what is remembered is on the screen before the network is asked for anything.

import { start } from "./actions/connection.js";
import { touched, watchForIdle } from "./actions/idle.js";
import { render } from "./html.js";
import { speak } from "./i18n.js";
import { onChange, recall, state } from "./state.js";
import { followScroll } from "./views/menu.js";
import { page } from "./views/page.js";

const root = document.getElementById("app");

let shown = null; // the name of what lies over the page
let cameFrom = null; // where the focus was before that
let lay = null; // as `state` has it
const left = new WeakMap(); // how far it was scrolled when something else came in its place: who goes back is there again

const parts = () => [...root.querySelectorAll(".sheet-inside, .sheet-body")]; // which of them scrolls, the height says

function draw() {
  const { language, largeType, highContrast } = state.prefs;
  speak(language);
  document.documentElement.classList.toggle("large-type", largeType);
  document.documentElement.classList.toggle("high-contrast", highContrast);
  const before = document.activeElement;
  const places = parts().map((part) => part.scrollTop);
  render(page(), root);
  const dialog = root.querySelector("dialog");
  if (dialog && !dialog.open) {
    cameFrom = before;
    dialog.showModal();
  }
  const lies = state.entry ?? state.dialog;
  if (dialog && dialog.dataset.dialog !== shown) {
    if (lay) left.set(lay, places);
    dialog.querySelector("h2").focus();
    // It is the same element: what is new would begin where the one before was looked at.
    parts().forEach((part, at) => (part.scrollTop = left.get(lies)?.[at] ?? 0));
  }
  shown = dialog?.dataset.dialog ?? null;
  lay = lies;
  if (!dialog && cameFrom) {
    cameFrom.focus({ preventScroll: true });
    // It is gone, as the button of a cart that was ordered: else the next key would begin where the page begins.
    if (!cameFrom.isConnected) document.getElementById("menu")?.focus({ preventScroll: true });
    cameFrom = null;
  }
}

// A hand that trembles taps twice. The second tap is meant for what the first one was on: where that has made way for
// something else, which nobody can have read yet, it does nothing. Enter and Space are clicks too, of detail 0.
const DOUBLE_TAP = 450; // milliseconds
const FINGER = 40; // pixels

let tapped = { at: -Infinity };

function heedFirstTap(event) {
  const { timeStamp: at, clientX: x, clientY: y, detail } = event;
  if (!detail) return;
  if (at - tapped.at > DOUBLE_TAP || Math.hypot(x - tapped.x, y - tapped.y) > FINGER) tapped = { x, y, on: control(event.target) };
  tapped.at = at;
  if (control(document.elementFromPoint(tapped.x, tapped.y)) === tapped.on) return;
  event.preventDefault();
  event.stopPropagation();
}

const control = (element) => element?.closest("button, label, input, dialog") ?? null;

onChange(draw);
addEventListener("click", heedFirstTap, { capture: true });
addEventListener("keydown", () => (tapped = { at: -Infinity }), { capture: true }); // what comes after a key is no second tap
for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, touched, { passive: true });
addEventListener("scroll", followScroll, { capture: true, passive: true }); // whatever scrolls: it doesn't bubble
addEventListener("popstate", goBack);
watchForIdle();
recall();
draw();
if (state.device) start();
stayHere();
keepOnTheTablet();

// Before this page there is none for a guest: to go back, as by a swipe from the edge, leads to where one is.
function stayHere() {
  if (!history.state) history.pushState("here", "");
}

function goBack() {
  stayHere();
  root.querySelector("dialog")?.dispatchEvent(new Event("cancel", { cancelable: true }));
}

// Over plain http there are no service workers: then the page needs the network to come up.
function keepOnTheTablet() {
  const policy = globalThis.trustedTypes?.createPolicy("table-order", { createScriptURL: (name) => name });
  navigator.serviceWorker?.register(policy ? policy.createScriptURL("sw.js") : "sw.js").catch(() => {});
}
