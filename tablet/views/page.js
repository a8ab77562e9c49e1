// The whole page: the frame around the menu, and what lies over it.

import { billTotal, openBill } from "../actions/party.js";
import { classMap, html, nothing } from "../html.js";
import { LANGUAGES, t } from "../i18n.js";
import { money } from "../money.js";
import { change, setPrefs, state } from "../state.js";
import { billSheet, idleSheet, thanksSheet } from "./bill.js";
import { cartBar, cartPanel, cartSheet, clearSheet, reviewSheet } from "./cart.js";
import { cornerSheet, lookSheet, signOutSheet } from "./corner.js";
import { itemSheet } from "./item.js";
import { categories, menu, searchBox } from "./menu.js";
import { callStrip, icon, toast } from "./parts.js";
import { setup } from "./setup.js";
import { sentSheet, submitSheet } from "./submit.js";

const DIALOGS = {
  item: itemSheet,
  cart: cartSheet,
  clear: clearSheet,
  review: reviewSheet,
  sent: sentSheet,
  bill: billSheet,
  thanks: thanksSheet,
  idle: idleSheet,
  look: lookSheet,
  corner: cornerSheet,
  "sign-out": signOutSheet,
};

// An order under way lies over everything else until it has come to its end: no refusal can be overlooked.
function over() {
  if (state.entry) return submitSheet();
  return state.dialog ? DIALOGS[state.dialog.name]() : null;
}

const LONG_PRESS = 1500; // milliseconds: no guest does that by chance

export function page() {
  if (!state.device) return html`${setup()}${toast()}`;
  const { store, table } = state.device;
  const other = Object.keys(LANGUAGES).find((code) => code !== state.prefs.language);
  return html`<div class="frame" data-connection=${state.connection}>
      <header class="top">
        <h1><button type="button" class="where" data-action="corner" @pointerdown=${press} @pointerup=${release} @pointerleave=${release} @keydown=${pressKey} @keyup=${release}>
          <span class="store">${store.name}</span><span class="table">${t("table")} ${table.number}</span>
        </button></h1>
        ${searchBox()}
        ${billButton()}
        <button type="button" class="secondary language" lang=${other} aria-label=${LANGUAGES[other]} data-action="language" @click=${() => setPrefs({ language: other })}>${icon("globe")}<span>${LANGUAGES[other]}</span></button>
        <button type="button" class="secondary" aria-label=${t("look")} data-action="look" @click=${() => change({ dialog: { name: "look" } })}>${icon("look")}</button>
      </header>
      ${state.connection === "offline" ? html`<p class="offline" role="status">${t("offline")}</p>` : nothing}
      ${categories()} ${menu()} ${cartPanel()}
      <section class="bottom" aria-label=${t("callStaff")}>${callStrip()}${cartBar()}</section>
    </div>
    ${over() ?? toast()}`;
}

function billButton() {
  const total = state.party.orders.length ? money(billTotal()) : "";
  const label = [`${t("myOrders")} ${total}`.trim(), state.unreadBill && t("unreadBill")].filter(Boolean).join(", ");
  return html`<button type="button" class=${classMap({ secondary: true, "bill-button": true, unread: state.unreadBill })} data-action="bill" aria-label=${label} @click=${() => openBill()}>
    ${icon("list")}<span>${t("myOrders")}</span>${total ? html`<strong>${total}</strong>` : nothing}
  </button>`;
}

let pressing;

function press() {
  release();
  pressing = setTimeout(() => change({ dialog: { name: "corner" } }), LONG_PRESS);
}

function pressKey(event) {
  if ((event.key === "Enter" || event.key === " ") && !event.repeat) press();
}

function release() {
  clearTimeout(pressing);
}
