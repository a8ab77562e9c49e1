// What lies over the board: one table whole, cancelling, completing, sold-out, settings. The store's tables: tables.js.

import { classMap, html, live, nothing, repeat } from "/tablet/html.js";
import { cancel, complete, refreshMenu, setSoldOut, setStock } from "./actions.js";
import { attempt, say } from "./attempt.js";
import { isLive, isUnfinished } from "./board_state.js";
import { dishOf, orderPart, statusName } from "./card.js";
import { LANGUAGES, t } from "./i18n.js";
import { clock, money } from "./money.js";
import { change, choose, page, show, state } from "./state.js";
import { cutOffDialog, openTables, tableForm, tablesDialog } from "./tables.js";
import { tapOf } from "./taps.js";
import { notices, toast } from "./views.js";

const DIALOGS = {
  table: tableDialog,
  cancel: cancelDialog,
  complete: completeDialog,
  soldOut: soldOutDialog,
  settings: settingsDialog,
  tables: tablesDialog,
  aTable: tableForm,
  cutOff: cutOffDialog,
};

export const dialog = () => (state.dialog ? DIALOGS[state.dialog.name]() : null);

export const close = () => show(null);
export const edit = (patch) => change({ dialog: { ...state.dialog, error: null, busy: false, ...patch } });

// What is asked here is done, and `then` goes on. If it can't be, the reason stands here until something is changed. When the
// answer comes, something else may lie here.
export async function answer(work, then = close) {
  const { opened, busy } = state.dialog;
  if (busy) return; // a second tap
  edit({ busy: true });
  const isThere = () => state.dialog?.opened === opened;
  const isDone = await attempt(work, { tell: (error) => (isThere() ? edit({ error }) : say(error)) });
  if (isDone && isThere()) then();
}

// Each question has a dialog element of its own, so that none is answered by a tap that was on its way to another. Once
// something has been `entered`, no tap beside it throws that away.
export function sheet({ title, body, status = nothing, footer = null, wide = false, asks = state.dialog.name, error = state.dialog.error, entered = false }) {
  const drawn = html`<dialog
    class=${classMap({ wide })}
    data-dialog=${state.dialog.name}
    aria-labelledby="dialog-title"
    aria-busy=${Boolean(state.dialog.busy)}
    @cancel=${(event) => {
      event.preventDefault();
      close();
    }}
    @click=${(event) => event.target === event.currentTarget && !entered && close()}
  >
    <div class="dialog-inside">
      <header>
        <h2 id="dialog-title" tabindex="-1">${title}</h2>
        <button type="button" class="quiet" data-action="close" @click=${close}>${t("close")}</button>
      </header>
      <div class="dialog-body">${body}</div>
      ${status} ${error ? html`<p class="error" role="alert">${t(error.name, error.values)}</p>` : nothing}
      ${footer ? html`<footer>${footer}</footer>` : nothing} ${notices()}
    </div>
    ${toast()}
  </dialog>`;
  return repeat([drawn], () => asks, () => drawn);
}

export const tableOf = (id) => state.board.shown().find((table) => table.id === id);
const billsOf = (table) => [table.party, ...table.unsettled].filter(Boolean);

// Somebody else has completed or cancelled it while it was looked at here.
const gone = () => sheet({ title: t("gone"), body: nothing, error: null });

function tableDialog() {
  const table = tableOf(state.dialog.table);
  if (!table || !billsOf(table).length) return gone();
  return sheet({
    wide: true,
    title: `${t("table")} ${table.number}`,
    body: billsOf(table).map(
      ({ session, total, orders }) => html`<h3 class="bill">
          <span>${t(session.state === "expired" ? "unsettledSince" : "partySince", { time: clock(session.started_at) })}</span><strong>${money(total)}</strong>
        </h3>
        ${repeat(orders, (order) => order.id, (order) => orderPart(order, { whole: true }))}`,
    ),
  });
}

// --- Cancelling -----------------------------------------------------------------------------------------------------

const left = (line) => line.quantity - line.cancelled_quantity;
const isAllowed = (line) => page.user.role === "owner" || !["ready", "served"].includes(line.status);

function cancelDialog() {
  const order = state.board.orders.get(state.dialog.order);
  if (!order || order.status === "cancelled") return gone();
  const { chosen, reason } = state.dialog;
  const lines = order.lines.filter(isLive);
  const count = (line) => (isAllowed(line) ? Math.min(left(line), chosen[line.id] ?? 0) : 0); // the kitchen may have gone on meanwhile
  const asked = lines.map((line) => ({ line: line.id, quantity: count(line) })).filter(({ quantity }) => quantity > 0);
  const set = (line, quantity) => edit({ chosen: { ...chosen, [line.id]: quantity } });
  const everything = () => edit({ chosen: Object.fromEntries(lines.filter(isAllowed).map((line) => [line.id, left(line)])) });
  return sheet({
    title: t("cancelTitle", { number: order.number }),
    entered: asked.length > 0 || reason !== "",
    body: html`<p class="row"><span class="muted">${t("cancelHint")}</span> <button type="button" data-action="everything" @click=${everything}>${t("everything")}</button></p>
      <ul class="choose">
        ${lines.map(
          (line) => html`<li data-line=${line.id}>
            <span class="what">${dishOf(line)}<span class="muted">${t(statusName(line.status))}</span>${isAllowed(line) ? nothing : html`<span class="warn">${t("ownerOnly")}</span>`}</span>
            <span class="stepper">
              <button type="button" aria-label=${t("less", { name: line.name })} ?disabled=${count(line) === 0} @click=${() => set(line, count(line) - 1)}>−</button>
              <output>${count(line)} / ${left(line)}</output>
              <button type="button" aria-label=${t("oneMore", { name: line.name })} ?disabled=${count(line) === left(line) || !isAllowed(line)} @click=${() => set(line, count(line) + 1)}>+</button>
            </span>
          </li>`,
        )}
      </ul>
      <div class="reasons" role="group" aria-label=${t("reason")}>
        ${["reasonSoldOut", "reasonGuest", "reasonMistake"].map((name) => html`<button type="button" aria-pressed=${reason === t(name)} @click=${() => edit({ reason: t(name) })}>${t(name)}</button>`)}
      </div>
      <label>${t("reason")}<input name="reason" maxlength="200" .value=${live(reason)} @input=${(event) => edit({ reason: event.target.value })} /></label>`,
    footer: html`<button type="button" data-action="keep" @click=${close}>${t("keep")}</button>
      <button type="button" class="danger" data-action="do-cancel" ?disabled=${!asked.length || !reason.trim()} @click=${() => answer(() => cancel(order, { reason: reason.trim(), lines: asked }))}>
        ${t("doCancel")}
      </button>`,
  });
}

// --- Completing -----------------------------------------------------------------------------------------------------

function completeDialog() {
  const table = tableOf(state.dialog.table);
  const bill = table && billsOf(table).find(({ session }) => session.id === state.dialog.session);
  if (!bill) return gone();
  const unfinished = bill.orders.flatMap((order) => order.lines.filter((line) => isUnfinished(tapOf(order, line) ?? line)).map((line) => ({ order, line })));
  return sheet({
    asks: `${unfinished.length ? "force" : "complete"} ${bill.orders.length}`, // a new order is not in what was said yes to
    title: t(bill.session.state === "expired" ? "settleTitle" : "completeTitle", { number: table.number }),
    body: html`<p class="sum"><span>${t("total")}</span><strong>${money(bill.total)}</strong></p>
      <p>${t("completeHint")}</p>
      ${unfinished.length
        ? html`<p class="warn">${t("unfinishedHint")}</p>
            <ul class="unfinished">
              ${unfinished.map(({ order, line }) => html`<li>
                  <span class="number">#${order.number}</span><span class="number">${left(line)} ×</span><span class="what">${dishOf(line)}</span><span class="muted">${t(statusName(line.status))}</span>
                </li>`)}
            </ul>`
        : nothing}`,
    footer: html`<button type="button" data-action="keep" @click=${close}>${t("keep")}</button>
      <button
        type="button"
        class=${classMap({ strong: !unfinished.length, danger: unfinished.length > 0 })}
        data-action="do-complete"
        @click=${() => answer(() => complete(table, bill.session, unfinished.length > 0))}
      >
        ${t(unfinished.length ? "doForce" : "doComplete")}
      </button>`,
  });
}

// --- Sold-out, and how many portions are left ------------------------------------------------------------------------

export function openSoldOut() {
  show({ name: "soldOut", query: "" });
  refreshMenu();
}

function soldOutDialog() {
  const query = state.dialog.query.trim().toLowerCase();
  const rows = state.menu && [
    ...state.menu.items.map((item) => ({ kind: "items", row: item, name: item.name, empty: item.stock === 0 && !item.sold_out })),
    ...state.menu.groups.flatMap((group) => group.options.map((option) => ({ kind: "options", row: option, name: option.name, of: group.name, empty: false }))),
  ].filter(({ name, of = "" }) => !query || `${of} ${name}`.toLowerCase().includes(query));
  return sheet({
    wide: true,
    title: t("soldOutPanel"),
    entered: Boolean(state.dialog.counted),
    body: html`<input type="search" aria-label=${t("searchMenu")} placeholder=${t("searchMenu")} .value=${live(state.dialog.query)} @input=${(event) => edit({ query: event.target.value })} />
      ${rows?.length ? html`<ul class="choose">${repeat(rows, ({ row }) => row.id, soldOutRow)}</ul>` : html`<p role="status">${t(rows ? "nothingFound" : "loading")}</p>`}`,
  });
}

// What is `empty` is off by itself and on again with new stock, unless somebody has switched it off meanwhile.
const soldOutRow = ({ kind, row, name, of, empty }) => html`<li data-dish=${row.id}>
  <span class="what">
    <span class="name">${name}</span>
    ${of || empty ? html`<span class="muted">${empty ? t("noStockHint") : of}</span>` : nothing}
  </span>
  ${row.stock != null ? stockOf(row) : nothing}
  <button
    type="button"
    role="switch"
    aria-checked=${row.sold_out || empty}
    aria-busy=${state.switching.includes(row.id)}
    aria-label=${`${name}: ${t("soldOut")}`}
    class=${classMap({ switch: true, off: row.sold_out || empty })}
    ?disabled=${empty}
    @click=${() => setSoldOut(kind, row, !row.sold_out)}
  >
    ${t(row.sold_out ? "soldOut" : empty ? "noStock" : "available")}
  </button>
</li>`;

// What staff have counted, and no sum: a tap too many would sell a portion that isn't there.
function stockOf(row) {
  const { counted } = state.dialog;
  if (counted?.id !== row.id)
    return html`<button type="button" class="stock" aria-label=${t("changeStock", { name: row.name, count: row.stock })} @click=${() => edit({ counted: { id: row.id, stock: row.stock } })}>
      ${t("left", { count: row.stock })}
    </button>`;
  const send = (event) => {
    event.preventDefault();
    answer(() => setStock(row, Number(counted.stock)), () => edit({ counted: null }));
  };
  return html`<form class="stock" @submit=${send}>
    <input type="number" inputmode="numeric" required min="0" max="1000000" aria-label=${t("stockOf", { name: row.name })} .value=${live(String(counted.stock))} @focus=${(event) => event.target.select()} @input=${(event) => edit({ counted: { ...counted, stock: event.target.value } })} />
    <button>${t("save")}</button>
  </form>`;
}

// --- Settings -------------------------------------------------------------------------------------------------------

const ESCALATIONS = [30, 60, 120, 300]; // seconds

function settingsDialog() {
  const choice = (label, name, options) => html`<fieldset>
    <legend>${label}</legend>
    ${options.map(([value, words, lang]) => html`<button type="button" lang=${lang ?? nothing} aria-pressed=${state[name] === value} @click=${() => choose(name, value)}>${words}</button>`)}
  </fieldset>`;
  return sheet({
    title: t("settings"),
    body: html`${choice(t("language"), "language", Object.entries(LANGUAGES).map(([code, name]) => [code, name, code]))}
      ${choice(t("escalation"), "escalateAfter", ESCALATIONS.map((seconds) => [seconds, seconds < 60 ? t("seconds", { seconds }) : t("minutes", { minutes: seconds / 60 })]))}
      <p class="links">
        <button type="button" data-action="tables" @click=${() => openTables()}>${t("tables")}</button>
        ${page.user.role === "owner" ? html`<a class="button" href="/admin/sessions_app/tablesession/">${t("history")}</a>` : nothing}
        <a class="button" href="/admin/">${t("admin")}</a>
      </p>
      <p class="muted">${page.user.name || page.user.username} · ${t(page.user.role)}</p>`,
  });
}
