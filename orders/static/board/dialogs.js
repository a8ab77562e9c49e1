// What lies over the board: one table whole, cancelling, completing, sold-out.

import { classMap, html, live, nothing, repeat } from "/tablet/html.js";
import { attempt, cancel, complete, loadMenu, setSoldOut } from "./actions.js";
import { isLive, isUnfinished } from "./board_state.js";
import { t } from "./i18n.js";
import { clock, money } from "./money.js";
import { change, page, state } from "./state.js";
import { orderPart, statusName } from "./views.js";

const DIALOGS = { table: tableDialog, cancel: cancelDialog, complete: completeDialog, soldOut: soldOutDialog };

export const dialog = () => (state.dialog ? DIALOGS[state.dialog.name]() : nothing);

const close = () => change({ dialog: null });
const edit = (patch) => change({ dialog: { ...state.dialog, ...patch } });

function sheet({ title, body, footer = nothing, wide = false }) {
  return html`<dialog
    class=${classMap({ wide })}
    aria-labelledby="dialog-title"
    @cancel=${(event) => {
      event.preventDefault();
      close();
    }}
    @click=${(event) => event.target === event.currentTarget && close()}
  >
    <div class="dialog-inside">
      <header>
        <h2 id="dialog-title" tabindex="-1">${title}</h2>
        <button type="button" class="quiet" data-action="close" @click=${close}>${t("close")}</button>
      </header>
      <div class="dialog-body">${body}</div>
      <footer>${footer}</footer>
    </div>
  </dialog>`;
}

const tableOf = (id) => state.board.shown().find((table) => table.id === id);
const gone = () => sheet({ title: t("someoneElse"), body: nothing });

function tableDialog() {
  const table = tableOf(state.dialog.table);
  if (!table?.party) return gone();
  return sheet({
    wide: true,
    title: html`${t("table")} ${table.number} · ${money(table.party.total)} <span class="muted">${clock(table.party.session.started_at)}</span>`,
    body: repeat(table.party.orders, (order) => order.id, (order) => orderPart(order, { whole: true })),
  });
}

// --- Cancelling -----------------------------------------------------------------------------------------------------

function cancelDialog() {
  const order = state.board.orders.get(state.dialog.order);
  const { chosen, reason } = state.dialog;
  const lines = order.lines.filter(isLive).map((line) => ({ line: line.id, quantity: chosen[line.id] ?? 0 }));
  const asked = lines.filter(({ quantity }) => quantity > 0);
  const set = (line, quantity) => edit({ chosen: { ...chosen, [line.id]: quantity } });
  const isOwner = page.user.role === "owner";
  const tooLate = (line) => !isOwner && ["ready", "served"].includes(line.status);
  return sheet({
    title: t("cancelTitle", { number: order.number }),
    body: html`<p class="muted">${t("cancelHint")}</p>
      <ul class="choose">
        ${order.lines.filter(isLive).map((line) => {
          const most = line.quantity - line.cancelled_quantity;
          const count = chosen[line.id] ?? 0;
          return html`<li data-line=${line.id}>
            <span class="what"><span class="name">${line.name}</span><span class="muted">${t(statusName(line.status))}</span></span>
            <span class="stepper">
              <button type="button" aria-label=${`${line.name} −`} ?disabled=${count === 0} @click=${() => set(line, count - 1)}>−</button>
              <output>${count} / ${most}</output>
              <button type="button" aria-label=${`${line.name} +`} ?disabled=${count === most || tooLate(line)} @click=${() => set(line, count + 1)}>+</button>
            </span>
          </li>`;
        })}
      </ul>
      ${order.lines.some((line) => isLive(line) && tooLate(line)) ? html`<p class="warn">${t("ownerOnly")}</p>` : nothing}
      <div class="reasons" role="group" aria-label=${t("reason")}>
        ${["reasonSoldOut", "reasonGuest", "reasonMistake"].map((name) => html`<button type="button" aria-pressed=${reason === t(name)} @click=${() => edit({ reason: t(name) })}>${t(name)}</button>`)}
      </div>
      <label>${t("reason")}<input name="reason" maxlength="200" .value=${live(reason)} @input=${(event) => edit({ reason: event.target.value })} /></label>`,
    footer: html`<button type="button" @click=${close}>${t("keep")}</button>
      <button type="button" class="danger" data-action="do-cancel" ?disabled=${!asked.length || !reason.trim()} @click=${async () => (await cancel(order, { reason: reason.trim(), lines: asked })) && close()}>
        ${t("doCancel")}
      </button>`,
  });
}

// --- Completing -----------------------------------------------------------------------------------------------------

function completeDialog() {
  const table = tableOf(state.dialog.table);
  const bill = table && [table.party, ...table.unsettled].find((one) => one?.session.id === state.dialog.session);
  if (!bill) return gone();
  const unfinished = bill.orders.flatMap((order) => order.lines.filter(isUnfinished).map((line) => ({ order, line })));
  const isOld = bill.session.state === "expired";
  return sheet({
    title: t(isOld ? "settleTitle" : "completeTitle", { number: table.number }),
    body: html`<p class="sum"><span>${t("total")}</span><strong>${money(bill.total)}</strong></p>
      <p>${t("completeHint")}</p>
      ${unfinished.length
        ? html`<p class="warn">${t("unfinishedHint")}</p>
            <ul class="unfinished">
              ${unfinished.map(({ order, line }) => html`<li>#${order.number} · ${line.quantity - line.cancelled_quantity} × ${line.name} · ${t(statusName(line.status))}</li>`)}
            </ul>`
        : nothing}`,
    footer: html`<button type="button" @click=${close}>${t("keep")}</button>
      <button
        type="button"
        class=${classMap({ strong: !unfinished.length, danger: unfinished.length > 0 })}
        data-action="do-complete"
        @click=${async () => (await complete(table, bill.session, unfinished.length > 0)) && close()}
      >
        ${t(unfinished.length ? "doForce" : "doComplete")}
      </button>`,
  });
}

// --- Sold-out -------------------------------------------------------------------------------------------------------

let menu = null;

function soldOutDialog() {
  if (!menu) {
    attempt(async () => (menu = await loadMenu()));
    return sheet({ title: t("soldOutPanel"), body: html`<p>${t("loading")}</p>` });
  }
  const query = state.dialog.query.trim().toLowerCase();
  const rows = [
    ...menu.items.map((item) => ({ kind: "items", row: item, name: item.name, empty: item.stock === 0 })),
    ...menu.groups.flatMap((group) => group.options.map((option) => ({ kind: "options", row: option, name: `${group.name}: ${option.name}`, empty: false }))),
  ].filter(({ name }) => !query || name.toLowerCase().includes(query));
  return sheet({
    wide: true,
    title: t("soldOutPanel"),
    body: html`<input type="search" aria-label=${t("searchMenu")} placeholder=${t("searchMenu")} .value=${live(state.dialog.query)} @input=${(event) => edit({ query: event.target.value })} />
      <ul class="choose">
        ${repeat(
          rows,
          ({ row }) => row.id,
          ({ kind, row, name, empty }) => html`<li>
            <span class="name">${name}</span>
            <button type="button" role="switch" aria-checked=${row.sold_out} aria-label=${`${name}: ${t("soldOut")}`} class=${classMap({ switch: true, off: row.sold_out || empty })} @click=${() => setSoldOut(kind, row, !row.sold_out)}>
              ${t(row.sold_out ? "soldOut" : empty ? "noStock" : "available")}
            </button>
          </li>`,
        )}
      </ul>`,
  });
}

export function forgetMenu() {
  menu = null;
}
