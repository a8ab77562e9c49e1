// The one state of the page. Views read it; `change` draws them again.

import { drawn } from "/tablet/screen.js";

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
  menu: null, // {items, groups} once the sold-out panel has been opened
  switching: [], // ids of dishes and options whose sold-out is on its way
  tables: null, // all of them, once the list has been opened
  language: read("language", page.language.startsWith("ko") ? "ko" : "en"),
  escalateAfter: read("escalateAfter", 60), // seconds until an order that nobody has looked at gets louder
  wantsSound: read("wantsSound", true),
  sound: false, // browsers let a page sound only after a tap
  filter: "",
  onlyBusy: read("onlyBusy", false),
  found: null, // {table, kind, turn}: where a tap on a count in the bar has led to
  seen: new Set(read("seen", [])), // ids of orders and calls that somebody has looked at here
  taps: [], // what can still be undone, or is on its way: [{order, line (null: all), status, from, steps, until, sent} or {call, until, sent}]
  dialog: null,
  toast: null,
  lastSign: Date.now(), // when the server was last heard of
  isLost: false, // it could not be reached just now
  brokenAt: null, // since when there is no stream
  signedOut: false,
  now: Date.now(), // when it was last drawn
};

export const { change, onChange } = drawn(state);

let opened = 0;

// Something else lies over the board now, or nothing (null): what has been said is of what was there before.
export const show = (dialog) => change({ dialog: dialog && { ...dialog, opened: (opened += 1) }, toast: null });

// What the person at this screen has chosen stays chosen.
export function choose(name, value) {
  write(name, value);
  change({ [name]: value });
}
