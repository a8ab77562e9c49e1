// After the guest has confirmed: exactly one of three honest states.

import { showCart } from "../actions/cart.js";
import { chooseAgain, doNotSend, dropEntry, goOnWithout, leaveNumber, sendAfterAll, submitAgain } from "../actions/submit.js";
import { isSoldOut, itemsById } from "../cart.js";
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
  const { code, total } = entry.reason;
  const [words, first, second = change] = (CASES[code] ?? otherwise)(entry);
  const buttons = html`${first === change || first === leave ? nothing : html`<button type="button" class="secondary" data-action=${second.name} ?disabled=${state.busy && second !== change} @click=${second.act}>${t(second.label)}</button>`}
    <button type="button" class="primary" data-action="resolve" ?disabled=${state.busy} @click=${first.act}>${t(first.label)}</button>`;
  // Beside the button that says yes to it: in the list it may be out of sight.
  const sum = code === "PRICE_CHANGED" ? html`<p class="sum" role="alert"><span>${t("newTotal")}</span><strong>${money(total)}</strong></p>` : nothing;
  return notSent("refused", t("notSent"), words, buttons, sum);
}

function toCart() {
  dropEntry();
  showCart();
}

const change = { name: "change", label: "changeOrder", act: toCart };
const leave = { name: "back-to-menu", label: "backToMenu", act: () => dropEntry() };

const otherwise = () => [t("refusedReason"), change];
const changed = () => [t("goneReason"), change];

const CASES = {
  SOLD_OUT: ({ reason, shown }) => [html`<p>${t("soldOutReason")}</p>${soldOutLines(reason, shown)}`, ...afterSoldOut(reason, shown)],
  PRICE_CHANGED: ({ reason, shown }) => [html`<p>${t("priceReason")}</p>${newPrices(reason, shown)}`, { label: "sendAtNewPrice", act: submitAgain }],
  SESSION_CHANGED: () => [t("sessionReason"), { label: "sendAsNew", act: submitAgain }],
  // Which of several dishes are gone the server does not say.
  ITEM_NOT_FOUND: ({ shown }) => (shown.length > 1 ? [t("goneReason"), { label: "takeOut", act: goOnWithout }] : [`${shown[0].name}: ${t("goneFromMenu")}`, leave]),
  INVALID_OPTION: changed,
  OPTION_COUNT: changed,
};

// What can be done, the best first. To order is offered only where there is something left to order.
function afterSoldOut({ lines }, shown) {
  const gone = lines.filter(({ available }) => !available);
  const label = gone.length < lines.length ? "orderWhatIsLeft" : gone.length > 1 ? "goOnWithoutThese" : "goOnWithout";
  const rest = gone.length < shown.length ? { name: "go-on-without", label, act: goOnWithout } : leave;
  const other = lines.find(({ line, item, options }) => options.length && shown[line].key && canBeHad(item)); // an entry of an older page has no keys
  return other ? [{ label: "chooseAgain", act: () => chooseAgain(shown[other.line].key) }, rest] : [rest];
}

function canBeHad(id) {
  const item = itemsById(state.menu).get(id);
  return item && !isSoldOut(item);
}

const soldOutLines = ({ lines }, shown) =>
  html`<ul class="changes">
    ${lines.map(({ line, name, available, options }) => {
      const gone = shown[line].options?.filter(({ id }) => options.includes(id)) ?? []; // an entry of an older page has none
      return html`<li><strong>${[name, ...gone.map((option) => option.name)].join(" · ")}</strong><span>${available > 0 ? t("portionsLeft", { count: available }) : t("soldOut")}</span></li>`;
    })}
  </ul>`;

const newPrices = ({ lines }, shown) =>
  html`<ul class="changes">
    ${lines.map(({ unit_price: unit }, index) =>
      unit === shown[index].unit ? nothing : html`<li><strong>${shown[index].name}</strong><span class="line-total"><s>${money(shown[index].unit)}</s> ${money(unit)}</span></li>`,
    )}
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

function notSent(name, title, words, buttons, sum = nothing) {
  return sheet({
    name,
    title,
    closable: false,
    body: html`<div class="big" role="alert"><span class="tick bad">${icon("wrong")}</span>${words}</div>`,
    footer: html`${sum}<div class="choices">${buttons}</div>`,
  });
}
