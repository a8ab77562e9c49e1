// The cart: beside the menu where there is room, else one tap away.

import { changeQuantity, clearCart, openLine, showCart, takeOutUnorderable } from "../actions/cart.js";
import { submit } from "../actions/submit.js";
import { priced } from "../cart.js";
import { classMap, html, live, nothing, repeat } from "../html.js";
import { t } from "../i18n.js";
import { money } from "../money.js";
import { change, keep, state } from "../state.js";
import { icon, sheet, stepper } from "./parts.js";

export function cartPanel() {
  const cart = priced(state.cart, state.menu);
  return html`<aside class="cart-panel" aria-label=${t("cart")}>
    <h2 tabindex="-1">${t("cart")} ${cart.count ? html`<span class="count">${cart.count}</span>` : nothing}</h2>
    <div class="cart-lines">${cartLines(cart)}</div>
    ${cart.count ? cartFoot(cart) : nothing}
  </aside>`;
}

export function cartBar() {
  const cart = priced(state.cart, state.menu);
  return html`<button type="button" class=${classMap({ "cart-bar": true, "cart-bar-empty": !cart.count })} data-action="cart" @click=${() => change({ dialog: { name: "cart" } })}>
    <span>${icon("bag")}${t("cart")}${cart.count ? html` <span class="count">${cart.count}</span>` : nothing}</span>
    <span aria-live="polite">${money(cart.total)}</span>
  </button>`;
}

export function cartSheet() {
  const cart = priced(state.cart, state.menu);
  return sheet({ name: "cart", title: t("cart"), body: html`<div class="cart-lines">${cartLines(cart)}</div>`, footer: cart.count ? cartFoot(cart) : nothing });
}

function cartFoot(cart) {
  return html`<div class="cart-foot">
    <p class="sum"><span>${t("total")}</span><strong aria-live="polite">${money(cart.total)}</strong></p>
    ${cart.orderable
      ? html`<button type="button" class="primary" data-action="review" @click=${() => change({ dialog: { name: "review" } })}>${t("review")}</button>`
      : html`<button type="button" class="primary" data-action="take-out" @click=${takeOutUnorderable}>${t("takeOut")}</button>`}
    <button type="button" class="quiet" data-action="clear" @click=${() => change({ dialog: { name: "clear" } })}>${t("clear")}</button>
  </div>`;
}

function cartLines(cart) {
  if (!cart.count) return html`<div class="cart-empty">${icon("bag")}<p>${t("cartEmpty")}</p><p class="muted">${t("cartHint")}</p></div>`;
  return html`<ul>
    ${repeat(cart.lines, (line) => line.key, cartLine)}
  </ul>`;
}

function cartLine(line) {
  return html`<li class=${classMap({ line: true, wrong: isOut(line) })}>
    <div class="line-text">
      ${isOut(line) ? html`<p class="name">${line.name}</p>` : wayToChange(line)}
      ${what(line)} ${availability(line)}
    </div>
    <p class="line-total">${lineTotal(line)}</p>
    ${stepper(line.quantity, { onChange: (count, event) => setCount(line, count, event), min: 0, max: line.most, label: line.name })}
    <button type="button" class="quiet" data-action="remove" @click=${(event) => setCount(line, 0, event)}>${t("remove")}</button>
  </li>`;
}

const wayToChange = (line) =>
  html`<button type="button" class="name" data-action="edit" aria-label="${line.name}, ${t("change")}" @click=${() => openLine(line)}>${line.name}${icon("pen")}</button>`;

// The focus goes with what had it: on to the next line, else to the heading, not back to where the page begins.
function setCount(line, count, { currentTarget }) {
  const row = currentTarget.closest("li");
  const next = row.nextElementSibling?.querySelector("[data-action=remove]") ?? row.closest("aside, dialog").querySelector("h2");
  changeQuantity(line.key, count);
  if (count < 1) queueMicrotask(() => next.focus({ preventScroll: true })); // when it is drawn
}

// However it is chosen, the dish can't be had.
const isOut = ({ problem, left }) => problem && left === 0;

// A price that has changed since the dish was put in stands below the one that the guest saw then; what can't be ordered
// is not counted.
function lineTotal({ was, quantity, total, problem }) {
  if (problem) return problem === "gone" ? nothing : html`<s>${money(total)}</s>`;
  return html`${was === null ? nothing : html`<s>${money(was * quantity)}</s> `}${money(total)}`;
}

// What of it can be had, where that is less than what is asked for, or just as much.
function availability(line) {
  const { problem, out, left, quantity, most } = line;
  if (problem === "options") {
    const names = out.map((option) => option.name).join(", ");
    return html`<p class="problem" role="alert">${names ? t("optionsOut", { names }) : t("optionsChanged")}</p>
      <button type="button" class="secondary" data-action="choose-again" @click=${() => openLine(line)}>${t("chooseAgain")}</button>`;
  }
  if (isOut(line)) return html`<p class="problem" role="alert">${t(problem === "gone" ? "goneFromMenu" : "notNow")}</p>`;
  if (problem) return html`<p class="problem" role="alert">${t("portionsLeft", { count: left })}</p>`;
  return left !== null && quantity >= most ? html`<p class="muted">${t("portionsLeft", { count: left })}</p>` : nothing;
}

const what = (line) => {
  const said = [...line.chosen.map((option) => option.name), line.note].filter(Boolean);
  return said.length ? html`<p class="muted">${said.join(" · ")}</p>` : nothing;
};

export function clearSheet() {
  return sheet({
    name: "clear",
    title: t("clearQuestion"),
    body: nothing,
    onClose: showCart,
    footer: html`<div class="choices">
      <button type="button" class="secondary" data-action="keep" @click=${showCart}>${t("keep")}</button>
      <button
        type="button"
        class="primary"
        @click=${() => {
          clearCart();
          change({ dialog: null });
        }}
      >
        ${t("clear")}
      </button>
    </div>`,
  });
}

export function reviewSheet() {
  const cart = priced(state.cart, state.menu);
  return sheet({
    name: "review",
    title: t("reviewTitle"),
    body: html`${cart.repriced ? html`<p class="problem" role="alert">${t("priceReason")}</p>` : nothing}
      <ul class="review">
        ${cart.lines.map(
          (line) => html`<li class=${classMap({ wrong: isOut(line) })}>
            <span class="times">${line.quantity} ×</span>
            <div class="line-text"><p class="name">${line.name}</p>${what(line)} ${line.problem ? availability(line) : nothing}</div>
            <span class="line-total">${lineTotal(line)}</span>
          </li>`,
        )}
      </ul>
      <label class="note">${t("note")}<input maxlength="200" placeholder=${t("noteHint")} .value=${live(state.cartNote)} @input=${(event) => keep("cartNote", event.target.value)} /></label>
      <p class="muted">${t("reviewHint")}</p>`,
    footer: html`<p class="sum"><span>${t("total")}</span><strong>${money(cart.total)}</strong></p>
      <div class="choices">
        <button type="button" class="secondary" data-action="change" @click=${showCart}>${t("change")}</button>
        ${cart.orderable
          ? confirmButton(cart)
          : html`<button type="button" class="primary" data-action="take-out" @click=${takeOutUnorderable}>${t("takeOut")}</button>`}
      </div>`,
  });
}

// To each total its own button: a press that spans a change of the price hits nothing.
const confirmButton = ({ total, repriced }) =>
  repeat(
    [total],
    () => total,
    () => html`<button type="button" class="primary" data-action="confirm" @click=${() => submit()}>${t(repriced ? "sendAtNewPrice" : "confirm")}</button>`,
  );
