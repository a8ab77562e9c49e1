// The board: a card for each table, loudest where somebody waits.

import { classMap, html, nothing, repeat, svg } from "/tablet/html.js";
import { acknowledge, isNew, isStale, newOrders, resolve, tap, tapOf, undo } from "./actions.js";
import { isLive, nextStep } from "./board_state.js";
import { dialog } from "./dialogs.js";
import { LANGUAGES, t } from "./i18n.js";
import { clock, money } from "./money.js";
import { switchOff, switchOn } from "./sound.js";
import { change, page, state, write } from "./state.js";

export const ESCALATE = 60; // seconds until an order that nobody has looked at gets louder
const SHOWN = 3; // orders on a card; the rest is one tap away

const BELL = svg`<path d="M12 4a6 6 0 0 0-6 6v4l-2 3h16l-2-3v-4a6 6 0 0 0-6-6zM10 20a2 2 0 0 0 4 0"/>`;

export function view() {
  return html`${top()} ${notices()}
    <main>${state.board ? cards() : html`<p class="nowhere" role="status">${t("loading")}</p>`}</main>
    ${dialog()}
    <div class="toast" role="status" aria-live="polite">${state.toast ? html`<p>${t(state.toast.name, state.toast.values)}</p>` : nothing}</div>`;
}

function top() {
  const other = Object.keys(LANGUAGES).find((code) => code !== state.language);
  return html`<header class="top">
    <h1>${page.store.name}</h1>
    ${page.stores.length > 1
      ? html`<select aria-label=${t("stores")} @change=${(event) => (location.search = `?store=${encodeURIComponent(event.target.value)}`)}>
          ${page.stores.map((store) => html`<option value=${store.code} ?selected=${store.code === page.store.code}>${store.name}</option>`)}
        </select>`
      : nothing}
    <input type="search" aria-label=${t("filter")} placeholder=${t("filter")} .value=${state.filter} @input=${(event) => change({ filter: event.target.value })} />
    <button type="button" aria-pressed=${state.onlyBusy} @click=${() => change({ onlyBusy: !state.onlyBusy })}>${t("onlyBusy")}</button>
    <span class="grow"></span>
    <button type="button" data-action="sound" aria-pressed=${state.sound} @click=${toggleSound}>
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${BELL}</svg>${t(state.sound ? "soundOn" : "soundOff")}
    </button>
    <button type="button" data-action="sold-out" @click=${() => change({ dialog: { name: "soldOut", query: "" } })}>${t("soldOutPanel")}</button>
    <button type="button" lang=${other} @click=${() => setLanguage(other)}>${LANGUAGES[other]}</button>
    <a class="button" href="/admin/">${t("admin")}</a>
    <span class=${classMap({ sign: true, stale: isStale() })}>${isStale() ? nothing : t("live")}</span>
  </header>`;
}

function notices() {
  if (state.signedOut) return html`<p class="band bad" role="alert">${t("signedOut")} <a class="button" href=${`/admin/login/?next=${encodeURIComponent(location.pathname + location.search)}`}>${t("signIn")}</a></p>`;
  if (isStale()) return html`<p class="band bad" role="alert" data-stale>${t("stale", { seconds: Math.round((state.now - state.lastSign) / 1000) })}</p>`;
  if (!state.sound && newOrders().length) return html`<p class="band hint">${t("soundHint")}</p>`;
  return nothing;
}

function cards() {
  const filter = state.filter.trim().toLowerCase();
  const shown = state.board
    .shown()
    .filter((table) => !filter || table.number.toLowerCase().includes(filter))
    .filter((table) => !state.onlyBusy || isBusy(table));
  if (!shown.length) return html`<p class="nowhere">${t("nothing")}</p>`;
  const busy = shown.filter(isBusy);
  const free = shown.filter((table) => !isBusy(table));
  return html`<div class="cards">${repeat(busy, (table) => table.id, card)}</div>
    ${free.length ? html`<ul class="free" aria-label=${t("empty")}>${repeat(free, (table) => table.id, (table) => html`<li data-table=${table.number}><strong>${table.number}</strong> ${t("empty")}</li>`)}</ul>` : nothing}`;
}

const isBusy = (table) => table.party || table.unsettled.length || table.calls.length;

function card(table) {
  const { party } = table;
  const fresh = party?.orders.filter(isNew) ?? [];
  const oldest = Math.min(...fresh.map((order) => Date.parse(order.placed_at)));
  const unseenFor = Math.floor((state.now - oldest) / 1000);
  const late = fresh.length > 0 && unseenFor > ESCALATE;
  return html`<article class=${classMap({ card: true, fresh: fresh.length > 0, late })} data-table=${table.number} aria-label=${`${t("table")} ${table.number}`}>
    <header>
      <h2>${table.number}</h2>
      <div class="card-facts">
        ${party ? html`<span>${t("since", { minutes: minutes(party.session.started_at) })}</span><strong data-total>${money(party.total)}</strong>` : nothing}
      </div>
      ${fresh.length
        ? html`<button type="button" class="new" data-action="acknowledge" @click=${() => acknowledge(fresh)}>
            ${late ? t("waiting", { minutes: Math.floor(unseenFor / 60) }) : t("newOrder")} · ${t("acknowledge")}
          </button>`
        : nothing}
    </header>
    ${table.calls.length
      ? html`<ul class="calls">
          ${repeat(
            table.calls,
            (call) => call.id,
            (call) => html`<li><button type="button" class="call" data-call=${call.kind} @click=${() => resolve(call)}>
              <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${BELL}</svg><strong>${t(call.kind)}</strong> ${ago(call.opened_at)}
            </button></li>`,
          )}
        </ul>`
      : nothing}
    ${party ? repeat(party.orders.slice(0, SHOWN), (order) => order.id, (order) => orderPart(order)) : nothing}
    ${party && party.orders.length > SHOWN
      ? html`<button type="button" class="quiet" data-action="all" @click=${() => change({ dialog: { name: "table", table: table.id } })}>${t("showAll", { count: party.orders.length - SHOWN })}</button>`
      : nothing}
    ${table.unsettled.map(
      (bill) => html`<section class="unsettled">
        <p><strong>${t("unsettled")}</strong> ${clock(bill.session.started_at)} · ${money(bill.total)}</p>
        <button type="button" data-action="settle" @click=${() => change({ dialog: { name: "complete", table: table.id, session: bill.session.id } })}>${t("settle")}</button>
      </section>`,
    )}
    ${party
      ? html`<footer>
          <button type="button" class="quiet" data-action="open" @click=${() => change({ dialog: { name: "table", table: table.id } })}>${t("more")}</button>
          <button type="button" class="strong" data-action="complete" @click=${() => change({ dialog: { name: "complete", table: table.id, session: party.session.id } })}>${t("complete")}</button>
        </footer>`
      : nothing}
  </article>`;
}

export function orderPart(order, { whole = false } = {}) {
  const step = nextStep(order.status, page.store.steps);
  const several = order.lines.filter(isLive).length > 1;
  const waiting = state.taps.find((tapped) => tapped.order === order.id && tapped.line === null);
  return html`<section class=${classMap({ order: true, new: isNew(order), done: !step })} data-order=${order.number} data-status=${order.status}>
    <h3>
      <span>#${order.number}</span><span class="muted">${ago(order.placed_at)}</span>
      ${several && step && !waiting ? html`<button type="button" class="step all" data-action="order-step" @click=${() => tap(order)}>${t("allLines", { step: t(stepName(step)) })}</button>` : nothing}
      ${waiting ? undoButton(waiting) : nothing}
    </h3>
    ${order.note ? html`<p class="note">${order.note}</p>` : nothing}
    <ul>
      ${order.lines.map((line) => linePart(order, line, several && waiting))}
    </ul>
    ${whole ? html`<button type="button" class="quiet" data-action="cancel" ?disabled=${order.status === "cancelled"} @click=${() => change({ dialog: { name: "cancel", order: order.id, chosen: {}, reason: "" } })}>${t("cancel")}</button>` : nothing}
  </section>`;
}

function linePart(order, line, orderWaits) {
  const tapped = tapOf(order, line);
  const status = tapped ? tapped.status : line.status;
  const step = nextStep(line.status, page.store.steps);
  return html`<li class="line" data-line=${line.id} data-status=${status}>
    <span class="times">${line.quantity - line.cancelled_quantity || line.quantity}</span>
    <span class="what">
      <span class="name">${line.name}</span>
      ${line.options.length ? html`<span class="options">${line.options.map((option) => option.name).join(" · ")}</span>` : nothing}
      ${line.note ? html`<span class="note">${line.note}</span>` : nothing}
    </span>
    <span class="state">${t(statusName(status))}</span>
    ${tapped && !orderWaits ? undoButton(tapped) : !tapped && step ? html`<button type="button" class="step" data-action="line-step" @click=${() => tap(order, line)}>${t(stepName(step))}</button>` : nothing}
  </li>`;
}

const undoButton = (tapped) =>
  html`<button type="button" class="undo" data-action="undo" @click=${() => undo(tapped)}>${t("undo", { seconds: Math.max(1, Math.ceil((tapped.until - state.now) / 1000)) })}</button>`;

// A kitchen of three steps calls its last one "completed".
export const statusName = (status) => (status === "served" && page.store.steps === 3 ? "completed" : status);
const stepName = (status) => ({ preparing: "toPreparing", ready: "toReady", served: page.store.steps === 3 ? "toCompleted" : "toServed" })[status];

const minutes = (at) => Math.max(0, Math.floor((state.now - Date.parse(at)) / 60000));
const ago = (at) => (minutes(at) ? t("ago", { minutes: minutes(at) }) : t("justNow"));

async function toggleSound() {
  if (state.sound) switchOff();
  else await switchOn();
  write("sound", !state.sound);
  change({ sound: !state.sound });
}

function setLanguage(language) {
  write("language", language);
  change({ language });
}
