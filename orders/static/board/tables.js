// The store's tables: whoever is in charge while the owner is away adds one, gives it another number or password, takes it
// out of use, or cuts off a tablet that has gone astray.

import { classMap, html, live, nothing, repeat } from "/tablet/html.js";
import { all, request } from "./api.js";
import { attempt } from "./attempt.js";
import { answer, edit, sheet, tableOf } from "./dialogs.js";
import { t } from "./i18n.js";
import { money } from "./money.js";
import { change, show, state } from "./state.js";

const listed = async () => change({ tables: await all("tables") });

// With the number of a table: back to its row, and `done` says what was done to it. Once they are read, for a new table has
// no row before, and because what is written into a place that has just come up is not read aloud.
export async function openTables({ number = null, done = null } = {}) {
  show({ name: "tables" });
  const { opened } = state.dialog;
  await attempt(listed, { about: t("tables") });
  if (state.dialog?.opened !== opened || number === null) return;
  edit({ done: done && { name: done, values: { number } } });
  queueMicrotask(() => goTo(number)); // once it is drawn
}

function goTo(number) {
  const row = document.querySelector(`[data-row="${CSS.escape(number)}"]`);
  row?.scrollIntoView({ block: "center" });
  row?.focus({ preventScroll: true });
}

const NEW_TABLE = { id: null, number: "", is_active: true };
const openTable = ({ id, number, is_active }) => show({ name: "aTable", id, number, password: "", inUse: is_active });

export function tablesDialog() {
  const { done } = state.dialog;
  return sheet({
    wide: true,
    title: t("tables"),
    status: html`<p class="done" role="status">${done ? t(done.name, done.values) : nothing}</p>`,
    body: state.tables ? html`<ul class="choose">${repeat(state.tables, (table) => table.id, row)}</ul>` : html`<p role="status">${t("loading")}</p>`,
    footer: html`<button type="button" class="strong" data-action="add-table" @click=${() => openTable(NEW_TABLE)}>${t("addTable")}</button>`,
  });
}

const row = (table) => html`<li data-row=${table.number} tabindex="-1">
  <span class="what"><span class="name">${table.number}</span>${table.is_active ? nothing : html`<span class="muted">${t("notInUse")}</span>`}</span>
  <button type="button" data-action="change-table" aria-label=${t("changeTable", { number: table.number })} @click=${() => openTable(table)}>${t("changeIt")}</button>
  <button type="button" data-action="cut-off" aria-label=${t("cutOffTable", { number: table.number })} @click=${() => show({ name: "cutOff", id: table.id, number: table.number })}>
    ${t("cutOff")}
  </button>
</li>`;

export function tableForm() {
  const { id, number, password, inUse } = state.dialog;
  const { number: before, is_active: wasInUse } = id ? tableNow(id) : NEW_TABLE;
  const party = partyToLose();
  if (state.dialog.isAsking && party) return switchOffSheet(before, party);
  return sheet({
    title: id ? t("changeTable", { number: before }) : t("addTable"),
    entered: number !== before || password !== "" || inUse !== wasInUse,
    body: html`<form id="table" class="fields" @submit=${save}>
      <label>${t("tableNumber")}<input name="number" required maxlength="20" autocomplete="off" .value=${live(number)} @input=${(event) => edit({ number: event.target.value })} /></label>
      <label>
        ${t("tablePassword")}
        <input name="password" ?required=${!id} minlength="4" maxlength="128" autocomplete="off" placeholder=${id ? t("asItIs") : ""} .value=${live(password)} @input=${(event) => edit({ password: event.target.value })} />
      </label>
      ${id ? html`<p class="muted">${t("newPasswordHint")}</p>` : nothing}
      <p class="row">
        <button type="button" role="switch" aria-label=${t("inUse")} aria-checked=${inUse} class=${classMap({ switch: true, off: !inUse })} @click=${() => edit({ inUse: !inUse })}>${t(inUse ? "inUse" : "notInUse")}</button>
        <span class="warn grow" role="status">${id && wasInUse && !inUse ? t("switchOffHint") : nothing}</span>
      </p>
    </form>`,
    footer: html`<button type="button" data-action="keep" @click=${() => openTables({ number: id && before })}>${t("keep")}</button>
      <button class="strong" form="table" data-action="save-table">${t("save")}</button>`,
  });
}

// Whose tablet goes off, and who can order no more, if it is saved like this.
function partyToLose() {
  const { id, inUse } = state.dialog;
  return id && tableNow(id).is_active && !inUse ? tableOf(id)?.party : null;
}

const switchOffSheet = (number, party) =>
  sheet({
    asks: "switchOff",
    entered: true,
    title: t("switchOffTitle", { number }),
    body: html`<p class="sum"><span>${t("total")}</span><strong>${money(party.total)}</strong></p>
      <p class="warn">${t("partyHint")}</p>`,
    footer: html`<button type="button" data-action="keep" @click=${() => edit({ isAsking: false })}>${t("keep")}</button>
      <button type="button" class="danger" data-action="do-switch-off" @click=${send}>${t("doSave")}</button>`,
  });

const tableNow = (id) => state.tables.find((table) => table.id === id);

function save(event) {
  event.preventDefault();
  if (partyToLose()) edit({ isAsking: true });
  else send();
}

// Only what is another now: a password that is not said stays.
function send() {
  const { id, number, password, inUse } = state.dialog;
  const body = { ...(id && number === tableNow(id).number ? {} : { number }), ...(password ? { password } : {}), is_active: inUse };
  let saved;
  const work = async () => (saved = await request(id ? "PATCH" : "POST", id ? `tables/${id}` : "tables", body));
  answer(work, () => openTables({ number: saved.number, done: "isSaved" }));
}

export function cutOffDialog() {
  const { id, number } = state.dialog;
  const cutOff = () => answer(() => request("POST", `tables/${id}/sign-out`), () => openTables({ number, done: "isCutOff" }));
  return sheet({
    title: t("cutOffTable", { number }),
    body: html`<p>${t("cutOffHint")}</p>`,
    footer: html`<button type="button" data-action="keep" @click=${() => openTables({ number })}>${t("keep")}</button>
      <button type="button" class="danger" data-action="do-cut-off" @click=${cutOff}>${t("cutOff")}</button>`,
  });
}
