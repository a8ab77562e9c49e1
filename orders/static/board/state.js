// The one state of the page. Views read it; `change` draws them again.

export const page = JSON.parse(document.getElementById("page").textContent);

const PREFIX = `tableorder.board.${page.store.id}.`;

export function read(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function write(name, value) {
  localStorage.setItem(PREFIX + name, JSON.stringify(value));
}

export const state = {
  board: null, // BoardState
  language: read("language", page.language.startsWith("ko") ? "ko" : "en"),
  filter: "",
  onlyBusy: false,
  sound: false, // browsers let a page sound only after a tap
  wantsSound: read("sound", true),
  seen: new Set(read("seen", [])), // ids of orders that somebody has looked at here
  taps: [], // moves that can still be undone: [{order, line (null: all), status, from, until}]
  dialog: null,
  toast: null,
  lastSign: Date.now(), // when the server was last heard of
  signedOut: false,
  now: Date.now(),
};

let draw = () => {};
let scheduled = false;

export function onChange(drawing) {
  draw = drawing;
}

export function change(patch) {
  Object.assign(state, patch);
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    draw();
  });
}
