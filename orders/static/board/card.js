// A table's card, and how an order and its lines look wherever they are shown.

import { classMap, html, nothing, repeat, svg } from "/tablet/html.js";
import { isLive, nextStep } from "./board_state.js";
import { t } from "./i18n.js";
import { clock, money } from "./money.js";
import { acknowledge, isLate, isNew, isNewCall, unseenFor } from "./news.js";
import { page, show, state } from "./state.js";
import { sendTapsOf, tap, tapCall, tapOf, tapOfCall, undo } from "./taps.js";

const LEAST_SHOWN = 3; // orders on a card: what is not finished, and so many in any case

const SHAPES = {
  bell: svg`<path d="M12 4a6 6 0 0 0-6 6v4l-2 3h16l-2-3v-4a6 6 0 0 0-6-6zM10 20a2 2 0 0 0 4 0"/>`,
  pending: svg`<circle cx="12" cy="12" r="8"/>`,
  preparing: svg`<circle cx="12" cy="12" r="8"/><path class="full" d="M12 4a8 8 0 0 1 0 16z"/>`,
  ready: svg`<circle class="full" cx="12" cy="12" r="8"/>`,
  served: svg`<path d="M4 13l5 5L20 6"/>`,
  cancelled: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
};

export const icon = (name) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${SHAPES[name]}</svg>`;

const isUnderWay = (order) => Boolean(nextStep(order.status, page.store.steps));
const isFinished = ({ orders }) => !orders.some(isUnderWay);

export const isBusy = (table) => Boolean(table.party || table.unsettled.length || table.calls.length);

function askToComplete(table, { session, orders }) {
  sendTapsOf(orders);
  show({ name: "complete", table: table.id, session: session.id });
}

export function card(table) {
  const { party } = table;
  const fresh = [party, ...table.unsettled].flatMap((bill) => bill?.orders.filter(isNew) ?? []);
  const calling = table.calls.filter(isNewCall);
  const late = fresh.some(isLate);
  const news = late ? t("waiting", { time: duration(Math.max(...fresh.map(unseenFor))) }) : newsOf(fresh, calling);
  return html`<article class=${classMap({ card: true, fresh: fresh.length > 0, late, found: state.found?.table === table.id })} data-table=${table.number} tabindex="-1" aria-label=${nameOf(table)}>
    <header>
      <h2>${table.number}</h2>
      <div class="facts">
        ${party ? html`<strong data-total>${money(party.total)}</strong><span>${since(party.session.started_at)}</span>` : nothing}
      </div>
      ${fresh.length || calling.length
        ? html`<button type="button" class=${classMap({ new: true, calling: !fresh.length })} data-action="acknowledge" aria-label=${named(`${news} ${t("acknowledge")}`, nameOf(table))} @click=${() => acknowledge([...fresh, ...calling].map(({ id }) => id))}>
            <strong>${news}</strong> <span>${t("acknowledge")}</span>
          </button>`
        : nothing}
    </header>
    ${table.calls.length ? html`<ul class="calls">${repeat(table.calls, (call) => call.id, callPart)}</ul>` : nothing}
    ${party ? ordersOnCard(table, party.orders) : nothing}
    ${party
      ? html`<footer>
          <button type="button" class="quiet" data-action="open" aria-label=${named(t("more"), nameOf(table))} @click=${() => show({ name: "table", table: table.id })}>${t("more")}</button>
          <button type="button" class=${classMap({ strong: isFinished(party) })} data-action="complete" aria-label=${named(t("complete"), nameOf(table))} @click=${() => askToComplete(table, party)}>${t("complete")}</button>
        </footer>`
      : nothing}
    ${table.unsettled.map((bill) => unsettledPart(table, bill))}
  </article>`;
}

const newsOf = (fresh, calling) => t(!calling.length ? "newOrder" : fresh.length ? "newBoth" : "newCall");

// What still has to be done is never hidden.
function ordersOnCard(table, orders) {
  const shown = orders.filter((order, at) => at < LEAST_SHOWN || isUnderWay(order));
  const hidden = orders.length - shown.length;
  return html`${repeat(shown, (order) => order.id, (order) => (isUnderWay(order) ? orderPart(order) : donePart(order)))}
    ${hidden ? html`<button type="button" class="quiet" data-action="all" @click=${() => show({ name: "table", table: table.id })}>${t("showAll", { count: hidden })}</button>` : nothing}`;
}

function callPart(call) {
  const tapped = tapOfCall(call);
  const words = html`${icon("bell")}<strong>${t(call.kind)}</strong><span>${ago(call.opened_at)}</span>`;
  return html`<li data-called=${call.id} tabindex="-1">
    ${tapped
      ? html`<p class="call">${words}${undoButton(tapped, t(call.kind))}</p>`
      : html`<button type="button" class="call" data-call=${call.kind} @click=${() => tapCall(call)}>${words}<span class="do">${t("resolve")}</span></button>`}
  </li>`;
}

const unsettledPart = (table, bill) => html`<section class="unsettled">
    <p><strong>${t("unsettled")}</strong> <span>${clock(bill.session.started_at)}</span> <strong>${money(bill.total)}</strong></p>
    <button type="button" data-action="open-unsettled" aria-label=${named(t("more"), nameOf(table))} @click=${() => show({ name: "table", table: table.id })}>${t("more")}</button>
    <button type="button" data-action="settle" aria-label=${named(t("settle"), nameOf(table))} @click=${() => askToComplete(table, bill)}>${t("settle")}</button>
  </section>
  ${repeat(bill.orders.filter(isUnderWay), (order) => order.id, (order) => orderPart(order))}`;

// An order that needs nothing any more: one line of it is enough.
const donePart = (order) => html`<section class="order done" data-order=${order.number} data-status=${order.status} tabindex="-1">
  <h3><span class="number">#${order.number}</span><span class="muted">${clock(order.placed_at)} · ${names(order)}</span>${stateOf(order.status)}</h3>
</section>`;

const names = (order) => order.lines.map((line) => line.name).join(", ");

export function orderPart(order, { whole = false } = {}) {
  const step = nextStep(order.status, page.store.steps);
  const several = order.lines.filter(isLive).length > 1;
  const waiting = several && state.taps.find((tapped) => tapped.order === order.id && tapped.line === null);
  return html`<section class=${classMap({ order: true, new: isNew(order) })} data-order=${order.number} data-status=${order.status} tabindex="-1">
    <h3>
      <span class="number">#${order.number}</span><span class="muted">${clock(order.placed_at)} · ${ago(order.placed_at)}</span>
      ${waiting ? undoButton(waiting, wholeOrder(order)) : several && step ? html`<button type="button" class="step all" data-action="order-step" aria-label=${named(t(`all.${stepName(step)}`), wholeOrder(order))} @click=${() => tap(order)}>${t(`all.${stepName(step)}`)}</button>` : nothing}
    </h3>
    ${order.note ? html`<p class="note">${order.note}</p>` : nothing}
    <ul>
      ${repeat(order.lines, (line) => line.id, (line) => linePart(order, line, waiting))}
    </ul>
    ${whole && order.status !== "cancelled" ? html`<button type="button" class="quiet" data-action="cancel" @click=${() => show({ name: "cancel", order: order.id, chosen: {}, reason: "" })}>${t("cancel")}</button>` : nothing}
  </section>`;
}

function linePart(order, line, orderWaits) {
  const tapped = tapOf(order, line);
  const status = tapped ? tapped.status : line.status;
  const step = nextStep(line.status, page.store.steps);
  return html`<li class="line" data-line=${line.id} data-status=${status} tabindex="-1">
    <span class="times">${line.quantity - line.cancelled_quantity || line.quantity}</span>
    <span class="what">
      ${dishOf(line)}
      <span class="how-far">
        ${stateOf(status)}${line.cancelled_quantity && line.status !== "cancelled" ? html`<span class="options">${t("partlyCancelled", { count: line.cancelled_quantity })}</span>` : nothing}
      </span>
    </span>
    ${tapped && !orderWaits ? undoButton(tapped, lineOf(order, line)) : !tapped && step ? html`<button type="button" class="step" data-action="line-step" aria-label=${named(t(stepName(step)), lineOf(order, line))} @click=${() => tap(order, line)}>${t(stepName(step))}</button>` : nothing}
  </li>`;
}

// With all that tells one from another.
export const dishOf = (line) => html`<span class="name">${line.name}</span>
  ${line.options.length ? html`<span class="options">${line.options.map((option) => option.name).join(" · ")}</span>` : nothing}
  ${line.note ? html`<span class="note">${line.note}</span>` : nothing}`;

const stateOf = (status) => html`<span class="state" data-state=${status}>${icon(status)}${t(statusName(status))}</span>`;

function undoButton(tapped, name) {
  if (tapped.sent) return nothing;
  const words = t("undo", { seconds: Math.max(1, Math.ceil((tapped.until - state.now) / 1000)) });
  return html`<button type="button" class="undo" data-action="undo" aria-label=${named(words, name)} @click=${() => undo(tapped)}>${words}</button>`;
}

// Whoever does not see where a button stands hears it: one of twenty that say the same. First come the words that are seen.
const named = (words, name) => t("named", { words, name });
const nameOf = (table) => `${t("table")} ${table.number}`;
const wholeOrder = (order) => t("theOrder", { number: order.number });
const lineOf = (order, line) => [line.name, ...line.options.map((option) => option.name), wholeOrder(order)].join(", ");

// A kitchen of three steps calls its last one "completed".
export const statusName = (status) => (status === "served" && page.store.steps === 3 ? "completed" : status);
const stepName = (status) => ({ preparing: "toPreparing", ready: "toReady", served: page.store.steps === 3 ? "toCompleted" : "toServed" })[status];

// --- Times ------------------------------------------------------------------------------------------------------

const minutes = (at) => Math.max(0, Math.floor((state.now - Date.parse(at)) / 60000));
const ago = (at) => (minutes(at) ? t("ago", { time: duration(minutes(at) * 60) }) : t("justNow"));
const since = (at) => (minutes(at) ? t("since", { time: duration(minutes(at) * 60) }) : t("justNow"));

export function duration(seconds) {
  if (seconds < 60) return t("seconds", { seconds });
  const all = Math.floor(seconds / 60);
  return all < 60 ? t("minutes", { minutes: all }) : t("hours", { hours: Math.floor(all / 60), minutes: all % 60 });
}
