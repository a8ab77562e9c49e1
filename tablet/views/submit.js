// After the guest has confirmed: exactly one of three honest states.

import { dropEntry, sendAfterAll, submitAgain, takeOutUnorderable } from "../actions.js";
import { html, nothing } from "../html.js";
import { t } from "../i18n.js";
import { money } from "../money.js";
import { change, state } from "../state.js";
import { icon, sheet } from "./parts.js";

export function submitSheet() {
  const { entry } = state;
  if (entry?.state === "refused") return refused(entry.reason);
  if (entry?.state === "asking") return asking(entry);
  return sheet({
    name: "submit",
    title: t("sending"),
    closable: false,
    body: html`<div class="big" role="status"><span class="spinner" aria-hidden="true"></span>${entry?.attempts > 0 ? html`<p>${t("stillSending")}</p>` : nothing}</div>`,
  });
}

export function sentSheet() {
  const { order } = state.dialog;
  return sheet({
    name: "sent",
    title: t("inTheKitchen"),
    body: html`<div class="big" role="status">
      <span class="tick">${icon("check")}</span>
      <p class="muted">${t("orderNumber")}</p>
      <p class="number" data-number=${order.number}>${order.number}</p>
      <p class="muted">${t("backToMenuIn", { seconds: state.seconds })}</p>
    </div>`,
    footer: html`<button type="button" class="primary" data-action="back-to-menu" @click=${() => change({ dialog: null })}>${t("backToMenu")}</button>`,
  });
}

// What the server said, in plain words, and what to do about it.
function refused(reason) {
  const names = (reason.lines ?? []).map((line) => line.name).join(", ");
  const toCart = () => dropEntry();
  const withoutThem = () => {
    takeOutUnorderable();
    dropEntry({ dialog: state.cart.length ? { name: "review" } : null });
  };
  const cases = {
    SOLD_OUT: [t("soldOutReason", { names }), t("goOnWithout"), withoutThem],
    PRICE_CHANGED: [t("priceReason", { total: money(reason.total ?? 0) }), t("sendAtNewPrice"), submitAgain],
    SESSION_CHANGED: [t("sessionReason"), t("sendAsNew"), submitAgain],
    ITEM_NOT_FOUND: [t("goneReason"), t("goOnWithout"), withoutThem],
    INVALID_OPTION: [t("goneReason"), t("changeOrder"), toCart],
    OPTION_COUNT: [t("goneReason"), t("changeOrder"), toCart],
  };
  const [words, label, act] = cases[reason.code] ?? [t("refusedReason"), t("changeOrder"), toCart];
  return notSent(words, html`${act === toCart ? nothing : html`<button type="button" class="secondary" data-action="change" @click=${toCart}>${t("changeOrder")}</button>`}
    <button type="button" class="primary" data-action="resolve" @click=${act}>${label}</button>`);
}

function asking(entry) {
  return notSent(
    html`${t("oldReason")} ${entry.unsure ? t("mayHaveArrived") : nothing}`,
    html`<button type="button" class="secondary" data-action="drop" @click=${() => dropEntry({ dialog: entry.unsure ? { name: "bill", unsure: true } : null })}>${t("doNotSend")}</button>
      <button type="button" class="primary" data-action="send-after-all" @click=${sendAfterAll}>${t("sendNow")}</button>`,
  );
}

function notSent(words, buttons) {
  return sheet({
    name: "submit",
    title: t("notSent"),
    closable: false,
    body: html`<div class="big" role="alert"><p>${words}</p></div>`,
    footer: html`<div class="choices">${buttons}</div>`,
  });
}
