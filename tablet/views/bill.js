// What this party has ordered, how far it is, and what it comes to.

import { billTotal } from "../actions/party.js";
import { classMap, html, nothing, repeat } from "../html.js";
import { t } from "../i18n.js";
import { clock, money } from "../money.js";
import { change, state } from "../state.js";
import { icon, sheet } from "./parts.js";

const STEPS = ["pending", "preparing", "ready", "served"];

export function billSheet() {
  const { orders } = state.party;
  return sheet({
    name: "bill",
    title: t("myOrders"),
    body: html`${state.dialog.unsure ? html`<p class="problem" role="alert">${t("mayHaveArrived")}</p>` : nothing}
    ${orders.length ? repeat(orders, (order) => order.id, anOrder) : html`<p class="empty">${t("noOrders")}</p>`}`,
    footer: html`<p class="sum"><span>${t("billTotal")}</span><strong data-bill aria-live="polite">${money(billTotal())}</strong></p>`,
  });
}

function anOrder(order) {
  return html`<section class="order" data-order=${order.number}>
    <h3>${t("order")} ${order.number} <span class="muted">${clock(order.placed_at)}</span></h3>
    <ul>
      ${order.lines.map(
        (line) => html`<li class=${classMap({ line: true, cancelled: line.status === "cancelled" })}>
          <span class="times">${line.quantity - line.cancelled_quantity || line.quantity} ×</span>
          <span class="line-text">
            <span class="name">${line.name}</span>
            <span class="muted">${[...line.options.map((option) => option.name), line.note].filter(Boolean).join(" · ")}</span>
            ${line.cancelled_quantity && line.status !== "cancelled" ? html`<span class="muted">${t("partlyCancelled", { count: line.cancelled_quantity })}</span>` : nothing}
          </span>
          ${progress(line.status)}
          <span class="line-total">${money(line.total)}</span>
        </li>`,
      )}
    </ul>
    ${order.note ? html`<p class="muted order-note">${t("note")}: ${order.note}</p>` : nothing}
  </section>`;
}

function progress(status) {
  // The steps are those that came with the last tokens: where a kitchen of three has since become one of four, a dish may be ready.
  const shown = state.device.store.steps === 3 && status !== "ready" ? STEPS.filter((step) => step !== "ready") : STEPS;
  const at = shown.indexOf(status);
  return html`<span class="progress" data-status=${status}>
    ${status === "cancelled" ? nothing : html`<span class="dots" aria-hidden="true">${shown.map((_, step) => html`<i class=${classMap({ on: step <= at })}></i>`)}</span>`}
    <span>${t(status)}</span>
  </span>`;
}

export function thanksSheet() {
  return sheet({
    name: "thanks",
    title: t("thanks"),
    body: html`<div class="big" role="status"><span class="tick">${icon("check")}</span><p>${t("thanksHint")}</p></div>`,
    footer: html`<button type="button" class="primary" data-action="back-to-menu" @click=${() => change({ dialog: null })}>${t("backToMenu")}</button>`,
  });
}

export function idleSheet() {
  return sheet({
    name: "idle",
    title: t("idleTitle"),
    body: html`<div class="big"><p>${t("idleHint")}</p></div>`,
    footer: html`<div class="choices">
      <button type="button" class="secondary" @click=${() => change({ dialog: null })}>${t("later")}</button>
      <button type="button" class="primary" @click=${() => change({ dialog: { name: "review" } })}>${t("review")}</button>
    </div>`,
  });
}
