// One dish: its options, how many, a note, and what it will cost.

import { addToCart, replaceInCart } from "../actions/cart.js";
import { openItem } from "../actions/menu.js";
import { inCart, isSoldOut, MAX_QUANTITY, openChoice, toggle, unitPrice } from "../cart.js";
import { classMap, html, live, nothing } from "../html.js";
import { t } from "../i18n.js";
import { money, signed } from "../money.js";
import { change, state } from "../state.js";
import { picture } from "./menu.js";
import { icon, sheet, stepper } from "./parts.js";

const edit = (patch) => change({ dialog: { ...state.dialog, ...patch, entered: true } });

export function itemSheet() {
  const item = openItem();
  const { line, options, note, lost = [], entered, back } = state.dialog; // `line`: the key of the one that is chosen anew
  const onClose = () => change({ dialog: back });
  if (!item) return sheet({ name: "item", title: t("goneFromMenu"), body: nothing, onClose });
  const missing = openChoice(item, options);
  const soldOut = isSoldOut(item);
  const taken = inCart(state.cart.filter((other) => other.key !== line), item.id);
  const most = item.stock === null ? MAX_QUANTITY : Math.min(MAX_QUANTITY, item.stock - taken);
  const quantity = Math.max(1, Math.min(most, state.dialog.quantity));
  const unit = unitPrice(item, options);
  const put = () => {
    if (missing) return goToGroup(missing);
    const save = line ? replaceInCart : addToCart;
    if (save({ key: line, item: item.id, name: item.name, quantity, options, note: note.trim(), seen: unit })) onClose();
  };
  return sheet({
    name: "item",
    title: item.name,
    wide: true,
    onClose,
    onBeside: () => entered || onClose(), // a tap that has gone astray is not meant to throw it away
    body: html`<div class="item">
      <div class="item-look">
        ${picture(item, "detail")}
        <p class="description">${item.description}</p>
        <p class="price">${money(item.price)}</p>
      </div>
      <div>
        ${item.option_groups.map((group) => choice(group, options))}
        <label class="note">${t("note")}<input maxlength="200" placeholder=${t("noteHint")} .value=${live(note)} @input=${(event) => edit({ note: event.target.value })} /></label>
      </div>
    </div>`,
    footer: html`${lost.length && !soldOut ? html`<p class="problem" role="alert">${t("optionsLost", { names: lost.map((option) => option.name).join(", ") })}</p>` : nothing}
      ${!soldOut && quantity >= most && most < MAX_QUANTITY ? allThereIs(item, taken) : nothing}<div class="put">
      ${stepper(quantity, { onChange: (count) => edit({ quantity: count }), max: most, label: t("quantity") })}
      <button type="button" class="primary" data-action=${line ? "save" : "add"} ?disabled=${soldOut || most < 1} aria-disabled=${Boolean(missing) && !soldOut} @click=${put}>
        ${soldOut ? t("soldOut") : missing ? t("stillToChoose", { name: missing.name }) : html`<span>${t(line ? "save" : "addToCart")}</span><span>${money(unit * quantity)}</span>`}
      </button>
    </div>`,
  });
}

function goToGroup({ id }) {
  const group = document.getElementById(`g-${id}`);
  group?.scrollIntoView({ block: "center" });
  group?.querySelector(".option:enabled")?.focus({ preventScroll: true });
}

const allThereIs = ({ stock }, taken) => html`<p class="muted" role="status">${t("portionsLeft", { count: stock })}${taken ? html` · ${t("inYourCart", { count: taken })}` : nothing}</p>`;

function choice(group, options) {
  const taken = group.options.filter((option) => options.includes(option.id)).length;
  const single = group.min === 1 && group.max === 1;
  const rule =
    group.min === group.max
      ? group.min === 1 ? t("chooseOne") : t("chooseExactly", group)
      : group.min === 0 ? t("chooseUpTo", group) : t("chooseBetween", group);
  const isFull = !single && group.max > 1 && taken >= group.max;
  const stop = group.options.find((option) => options.includes(option.id)) ?? group.options.find((option) => !option.sold_out); // of Tab
  return html`<fieldset id=${`g-${group.id}`} role=${single ? "radiogroup" : nothing} @keydown=${single ? byArrow : nothing}>
    <legend>
      ${group.name} <span class="rule">${rule}${group.max > 1 ? html` · ${t("chosen", { count: taken })}` : nothing}</span>
      ${group.min > 0 ? html`<span class=${classMap({ badge: true, done: taken >= group.min })}>${t("required")}</span>` : nothing}
    </legend>
    ${group.options.map((option) => {
      const on = options.includes(option.id);
      return html`<button
        type="button"
        role=${single ? "radio" : "checkbox"}
        aria-checked=${on}
        tabindex=${single && option !== stop ? "-1" : nothing}
        class="option"
        ?disabled=${option.sold_out || (isFull && !on)}
        data-option=${option.id}
        @click=${() => edit({ options: toggle(group, options, option.id), lost: [] })}
      >
        <span class="mark">${on ? icon("check") : nothing}</span>
        <span class="option-name">${option.name}</span>
        <span class="option-price">${option.sold_out ? t("soldOut") : option.price_delta ? signed(option.price_delta) : nothing}</span>
      </button>`;
    })}
  </fieldset>`;
}

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

// Among options of which one is chosen an arrow key chooses the next; Tab leads to the next group.
function byArrow(event) {
  const step = STEPS[event.key];
  if (!step) return;
  event.preventDefault(); // it would scroll
  const all = [...event.currentTarget.querySelectorAll(".option:enabled")];
  const next = all.at((all.indexOf(event.target) + step) % all.length);
  next.focus();
  next.click();
}
