// After the guest has confirmed: exactly one of three honest states.

import { doNotSend, dropEntry, goOnWithout, leaveNumber, sendAfterAll, submitAgain } from "../actions.js";
import { html, nothing } from "../html.js";
import { t } from "../i18n.js";
import { money } from "../money.js";
import { takesLong } from "../outbox.js";
import { state } from "../state.js";
import { icon, sheet } from "./parts.js";

export function submitSheet() {
  const { entry } = state;
  if (entry.state === "refused") return refused(entry);
  if (entry.state === "asking") return asking(entry);
  return sheet({
    name: "submit",
    title: t("sending"),
    closable: false,
    body: html`<div class="big" role="status"><span class="spinner" aria-hidden="true"></span>${entry.attempts > 0 ? html`<p>${t("stillSending")}</p>` : nothing}${takesLong(entry) ? html`<p>${t("askStaff")}</p>` : nothing}</div>`,
  });
}

export function sentSheet() {
  const { order } = state.dialog;
  return sheet({
    name: "sent",
    title: t("inTheKitchen"),
    onBeside: leaveNumber,
    // The countdown stands beside what is read aloud: else all of it would be, each second.
    body: html`<div class="big" role="status">
        <span class="tick">${icon("check")}</span>
        <p class="muted">${t("orderNumber")}</p>
        <p class="number" data-number=${order.number}>${order.number}</p>
      </div>
      <p class="muted countdown">${t("backToMenuIn", { seconds: state.seconds })}</p>`,
    footer: html`<button type="button" class="primary" data-action="back-to-menu" @click=${leaveNumber}>${t("backToMenu")}</button>`,
  });
}

// What the server said, in plain words, and what to do about it.
function refused(entry) {
  const [words, label, act] = (CASES[entry.reason.code] ?? otherwise)(entry);
  const buttons = html`${act === toCart ? nothing : html`<button type="button" class="secondary" data-action="change" @click=${toCart}>${t("changeOrder")}</button>`}
    <button type="button" class="primary" data-action="resolve" @click=${act}>${label}</button>`;
  return notSent("refused", t("notSent"), words, buttons);
}

const toCart = () => dropEntry();

const otherwise = () => [t("refusedReason"), t("changeOrder"), toCart];
const changed = () => [t("goneReason"), t("changeOrder"), toCart];

const CASES = {
  SOLD_OUT: ({ reason, shown }) => [html`<p>${t("soldOutReason")}</p>${soldOutLines(reason, shown)}`, t("goOnWithout"), goOnWithout],
  PRICE_CHANGED: ({ reason, shown }) => [html`<p>${t("priceReason")}</p>${newPrices(reason, shown)}`, t("sendAtNewPrice"), submitAgain],
  SESSION_CHANGED: () => [t("sessionReason"), t("sendAsNew"), submitAgain],
  ITEM_NOT_FOUND: () => [t("goneReason"), t("goOnWithout"), goOnWithout],
  INVALID_OPTION: changed,
  OPTION_COUNT: changed,
};

const soldOutLines = ({ lines }, shown) =>
  html`<ul class="changes">
    ${lines.map(({ line, name, available, options }) => {
      const gone = shown[line].options?.filter(({ id }) => options.includes(id)) ?? []; // an entry of an older page has none
      return html`<li><strong>${[name, ...gone.map((option) => option.name)].join(" · ")}</strong><span>${available > 0 ? t("portionsLeft", { count: available }) : t("soldOut")}</span></li>`;
    })}
  </ul>`;

const newPrices = ({ lines, total }, shown) =>
  html`<ul class="changes">
    ${lines.map(({ unit_price: unit }, index) =>
      unit === shown[index].unit ? nothing : html`<li><strong>${shown[index].name}</strong><span><s>${money(shown[index].unit)}</s> ${money(unit)}</span></li>`,
    )}
    <li class="new-total"><strong>${t("newTotal")}</strong><span>${money(total)}</span></li>
  </ul>`;

function asking(entry) {
  return notSent(
    "asking",
    t(entry.unsure ? "notConfirmed" : "notSent"),
    html`${t("oldReason")} ${entry.unsure ? t("mayHaveArrived") : nothing}`,
    html`<button type="button" class="secondary" data-action="drop" @click=${doNotSend}>${t("doNotSend")}</button>
      <button type="button" class="primary" data-action="send-after-all" @click=${sendAfterAll}>${t("sendNow")}</button>`,
  );
}

function notSent(name, title, words, buttons) {
  return sheet({
    name,
    title,
    closable: false,
    body: html`<div class="big" role="alert"><span class="tick bad">${icon("wrong")}</span>${words}</div>`,
    footer: html`<div class="choices">${buttons}</div>`,
  });
}
