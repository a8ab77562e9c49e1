// The home screen: categories always in view, a card for each dish.

import { pictureLost, search } from "../actions/menu.js";
import { inCart, isSoldOut } from "../cart.js";
import { classMap, html, nothing, repeat } from "../html.js";
import { t } from "../i18n.js";
import { money } from "../money.js";
import { change, state } from "../state.js";
import { icon } from "./parts.js";

export function categories() {
  return html`<nav class="categories" aria-label=${t("menu")}>
    ${repeat(
      shownCategories(),
      (category) => category.id,
      (category) => html`<button type="button" aria-current=${category.id === inView() ? "true" : "false"} data-category=${category.id} @click=${() => goTo(category.id)}>
        ${category.name}
      </button>`,
    )}
  </nav>`;
}

export function menu() {
  if (!state.menu) {
    return html`<main class="menu"><p class="empty" role="status">${t(state.connection === "offline" ? "menuUnavailable" : "loading")}</p></main>`;
  }
  const found = shownCategories()
    .map((category) => ({ ...category, items: category.items.filter(matches) }))
    .filter((category) => category.items.length);
  return html`<main class="menu" id="menu" tabindex="-1">
    ${found.length
      ? repeat(
          found,
          (category) => category.id,
          (category) => html`<section data-section=${category.id} aria-labelledby=${`c-${category.id}`}>
            <h2 id=${`c-${category.id}`}>${category.name}</h2>
            <ul class="cards">
              ${repeat(category.items, (item) => item.id, card)}
            </ul>
          </section>`,
        )
      : html`<p class="empty" role="status">${t(state.query.trim() ? "nothingFound" : "menuEmpty", { query: state.query })}</p>`}
  </main>`;
}

function card(item) {
  const taken = inCart(state.cart, item.id);
  const soldOut = isSoldOut(item);
  return html`<li>
    <button type="button" class=${classMap({ card: true, "sold-out": soldOut })} aria-disabled=${soldOut} data-item=${item.id} @click=${() => !soldOut && open(item)}>
      ${picture(item)}
      <span class="card-text">
        <span class="name">${item.name}</span>
        ${item.description ? html`<span class="description">${item.description}</span>` : nothing}
        <span class="price-row">
          <span class="price">${money(item.price)}</span>
          ${soldOut ? html`<span class="badge">${t("soldOut")}</span>` : nothing}
          ${!soldOut && item.stock !== null && item.stock <= 5 ? html`<span class="badge few">${t("portionsLeft", { count: item.stock })}</span>` : nothing}
        </span>
      </span>
      ${taken ? html`<span class="in-cart" role="img" aria-label=${t("inYourCart", { count: taken })}>${taken}</span>` : nothing}
    </button>
  </li>`;
}

// Without a picture: a calm ground with the first letter, its tint from the name so that it stays the same.
export function picture(item, size = "list") {
  const address = item.image?.[size];
  if (address && !state.lostPictures.has(address)) {
    return html`<img class="picture" src=${address} alt="" loading="lazy" decoding="async" @error=${() => pictureLost(address)} />`;
  }
  const tint = [...item.name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6;
  return html`<span class="picture letter tint-${tint}" aria-hidden="true">${[...item.name][0]}</span>`;
}

export function searchBox() {
  return html`<div class="search">
    ${icon("search")}
    <input type="search" .value=${state.query} placeholder=${t("searchHint")} aria-label=${t("search")} @input=${(event) => search(event.target.value)} />
    ${state.query ? html`<button type="button" class="round" aria-label=${t("clearSearch")} @click=${() => search("")}>${icon("close")}</button>` : nothing}
  </div>`;
}

function open(item) {
  // Nothing is chosen for the guest: who does not notice it gets the steak rare.
  change({ dialog: { name: "item", item: item.id, options: [], quantity: 1, note: "", back: null } });
}

const shownCategories = () => (state.menu?.categories ?? []).filter((category) => category.items.length);

// Before the first scroll it is the first one. What is found is not one category's.
const inView = () => (state.query.trim() ? null : (state.category ?? shownCategories()[0]?.id));

function matches(item) {
  return [item.name, item.description].some((text) => bare(text).includes(bare(state.query)));
}

// Where Korean is written with a space, and where without, people differ.
const bare = (text) => text.toLocaleLowerCase().replace(/\s+/g, "");

let isGoing = false; // to a category that was tapped: at the end of the menu not as far as to its beginning

function goTo(id) {
  isGoing = true;
  change({ category: id, query: "" });
  queueMicrotask(() => document.querySelector(`[data-section="${id}"]`)?.scrollIntoView({ block: "start" }));
}

// The category that is being looked at is marked while scrolling: the menu, or where there is little height the page.
export function followScroll({ target }) {
  const menu = document.getElementById("menu");
  if (!menu || state.query.trim() || (target !== menu && target !== document)) return;
  if (isGoing) return void (isGoing = false);
  const top = Math.max(0, menu.getBoundingClientRect().top) + 96;
  const sections = [...menu.querySelectorAll("[data-section]")];
  const current = sections.findLast((section) => section.getBoundingClientRect().top <= top) ?? sections[0];
  if (!current || current.dataset.section === state.category) return;
  change({ category: current.dataset.section });
  showButton(document.querySelector(`[data-category="${current.dataset.section}"]`));
}

// Among the others, by no more than it takes: scrollIntoView would scroll the page, too, from what the guest looks at.
function showButton(button) {
  const [shown, all] = [button.getBoundingClientRect(), button.parentElement.getBoundingClientRect()];
  const beyond = (start, end, from, to) => Math.min(0, start - from) + Math.max(0, end - to);
  button.parentElement.scrollBy(beyond(shown.left, shown.right, all.left, all.right), beyond(shown.top, shown.bottom, all.top, all.bottom));
}
