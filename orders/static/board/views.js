// The board: a bar on top, what has to be said, a card for each table in use, the free tables below.

import { classMap, html, nothing, repeat } from "/tablet/html.js";
import { card, duration, icon, isBusy } from "./card.js";
import { staleSince } from "./connection.js";
import { dialog, openSoldOut } from "./dialogs.js";
import { findNext } from "./find.js";
import { t } from "./i18n.js";
import { newCalls, newOrders, toggleSound } from "./news.js";
import { change, choose, page, show, state } from "./state.js";
import { openTables } from "./tables.js";

const CARD = 22; // rem that a card needs at least

export function view() {
  const tables = state.board?.shown() ?? [];
  return html`${top(tables)} ${state.dialog ? nothing : notices()}
    <main>${state.board ? cards(tables) : html`<p class="nowhere" role="status">${t("loading")}</p>`}</main>
    ${dialog() ?? toast()}`;
}

// What is found is shown from its beginning.
function find(filter) {
  change({ filter });
  scrollTo({ top: 0 });
}

export function toast() {
  const about = state.toast?.about.filter(Boolean).join(", ");
  return html`<div class="toast" role="status" aria-live="polite">${state.toast ? html`<p>${about ? html`<strong>${about}</strong> ` : nothing}${t(state.toast.name, state.toast.values)}</p>` : nothing}</div>`;
}

function top(tables) {
  const fresh = newOrders().length;
  const calls = tables.reduce((sum, table) => sum + table.calls.length, 0);
  const sign = staleSince() === null ? "live" : "stale";
  return html`<header class="top">
    <h1 class=${classMap({ unseen: page.stores.length > 1 })}>${page.store.name}</h1>
    ${page.stores.length > 1
      ? html`<select aria-label=${t("stores")} @change=${(event) => (location.search = `?store=${encodeURIComponent(event.target.value)}`)}>
          ${page.stores.map((store) => html`<option value=${store.code} ?selected=${store.code === page.store.code}>${store.name}</option>`)}
        </select>`
      : nothing}
    <span class="sign" data-sign=${state.board ? sign : "loading"}>${t(sign)}</span>
    <p class="counts" role="status">
      ${fresh ? html`<button type="button" class="count fresh" data-action="find-new" @click=${() => findNext("order")}>${t("newCount", { count: fresh })}</button>` : nothing}
      ${calls ? html`<button type="button" class="count called" data-action="find-call" @click=${() => findNext("call")}>${t("callCount", { count: calls })}</button>` : nothing}
    </p>
    <span class="grow"></span>
    <input type="search" aria-label=${t("filter")} placeholder=${t("filter")} .value=${state.filter} @input=${(event) => find(event.target.value)} />
    <button type="button" data-action="only-busy" aria-pressed=${state.onlyBusy} @click=${() => choose("onlyBusy", !state.onlyBusy)}>${t("onlyBusy")}</button>
    <button type="button" data-action="sound" class=${classMap({ silent: !state.sound })} aria-pressed=${state.sound} @click=${toggleSound}>${icon("bell")}<span>${t(state.sound ? "soundOn" : "soundOff")}</span></button>
    <button type="button" data-action="sold-out" @click=${openSoldOut}>${t("soldOutPanel")}</button>
    <button type="button" data-action="settings" @click=${() => show({ name: "settings" })}>${t("settings")}</button>
  </header>`;
}

// Under a dialog nothing can be tapped, so that they are drawn inside it; and once only, for they are read aloud.
export function notices() {
  if (state.signedOut) {
    const next = encodeURIComponent(location.pathname + location.search);
    return html`<p class="band bad" role="alert">${t("signedOut")} <a class="button" href=${`/admin/login/?next=${next}`}>${t("signIn")}</a></p>`;
  }
  const since = staleSince();
  // A timer is not read aloud: else all of it would be, each second.
  if (since !== null) return html`<p class="band bad" role="alert" data-stale>${t("noServer")} <span role="timer">${duration(Math.max(1, Math.round((state.now - since) / 1000)))}</span></p>`;
  if (!state.sound && (newOrders().length || newCalls().length)) return html`<p class="band hint" role="status">${t(state.wantsSound ? "soundHint" : "soundIsOff")}</p>`;
  return nothing;
}

let room = null; // measured: how wide a column is at least, in pixels, and how many there may be
let columns = []; // of tables' ids
let laidOutFor = null;

export const measureAgain = () => (room = null);

function measure() {
  const width = CARD * parseFloat(getComputedStyle(document.documentElement).fontSize);
  return { width, count: Math.max(1, Math.floor(innerWidth / width)) };
}

// Side by side in reading order, each column without holes. Whoever comes later goes below the shortest, to be seen:
// what is about to be tapped must not move away.
function inColumns(tables) {
  const { width, count } = (room ??= measure());
  const layout = `${count} ${state.filter}`;
  const drawn = layout === laidOutFor ? document.querySelectorAll(".column") : [];
  if (layout !== laidOutFor) columns = Array.from({ length: count }, () => []);
  laidOutFor = layout;
  const there = new Map(tables.map((table) => [table.id, table]));
  columns = columns.map((column) => column.filter((id) => there.has(id)));
  const newcomers = [...there.keys()].filter((id) => !columns.some((column) => column.includes(id)));
  // Measured for them only: it makes the browser lay out the whole page.
  const heights = newcomers.length ? columns.map((_, at) => drawn[at]?.offsetHeight ?? 0) : [];
  for (const id of newcomers) {
    const at = heights.indexOf(Math.min(...heights));
    columns[at].push(id);
    heights[at] += width; // as high as it is wide, until it is drawn
  }
  return columns.map((column) => column.map((id) => there.get(id)));
}

// An owner makes many at once in the admin; who is no owner makes them here.
const noTables = () => html`<div class="nowhere">
  <p>${t("noTables")}</p>
  ${page.user.role === "owner"
    ? html`<a class="button" href=${`/admin/stores/table/add/?store=${page.store.id}`}>${t("addTable")}</a>`
    : html`<button type="button" data-action="tables" @click=${() => openTables()}>${t("tables")}</button>`}
</div>`;

function cards(tables) {
  if (!tables.length) return noTables();
  const filter = state.filter.trim().toLowerCase();
  const shown = tables.filter((table) => (!filter || table.number.toLowerCase().includes(filter)) && (!state.onlyBusy || isBusy(table)));
  if (!shown.length) return html`<p class="nowhere">${t("nothing")}</p>`;
  const [busy, free] = [shown.filter(isBusy), shown.filter((table) => !isBusy(table))];
  return html`<div class="cards">${inColumns(busy).map((column) => html`<div class="column">${repeat(column, (table) => table.id, card)}</div>`)}</div>
    ${free.length
      ? html`<section class="free">
          <h2>${t("free")}</h2>
          <ul>${repeat(free, (table) => table.id, (table) => html`<li data-table=${table.number}>${table.number}</li>`)}</ul>
        </section>`
      : nothing}`;
}
