// Pieces that several views share.

import { call } from "../actions/calls.js";
import { classMap, html, nothing, svg } from "../html.js";
import { t } from "../i18n.js";
import { change, state } from "../state.js";

const PATHS = {
  bell: svg`<path d="M12 4a6 6 0 0 0-6 6v4l-2 3h16l-2-3v-4a6 6 0 0 0-6-6z"/><path d="M10 20a2 2 0 0 0 4 0"/>`,
  water: svg`<path d="M6 4h12l-1.5 16h-9z"/><path d="M6.8 11h10.4"/>`,
  cutlery: svg`<path d="M8 4v16M5 4v5a3 3 0 0 0 6 0V4M17 20v-7c-2 0-3-2-3-4.5S15.5 4 17 4z"/>`,
  bill: svg`<path d="M6 3h12v18l-3-2-3 2-3-2-3 2z"/><path d="M9 8h6M9 12h6"/>`,
  close: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  minus: svg`<path d="M5 12h14"/>`,
  pen: svg`<path d="M5 19l1-4L16 5l3 3L9 18z"/>`,
  search: svg`<circle cx="11" cy="11" r="6"/><path d="M20 20l-4.5-4.5"/>`,
  list: svg`<path d="M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01"/>`,
  look: svg`<path d="M3 19L8 6l5 13M4.8 14.5h6.4M14 19l3.2-8 3.3 8M15.2 16h4"/>`,
  wrong: svg`<path d="M12 6v7M12 18h.01"/>`,
  check: svg`<path d="M5 13l4 4L19 7"/>`,
  globe: svg`<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"/>`,
  bag: svg`<path d="M6 8h12l1 12H5zM9 8V7a3 3 0 0 1 6 0v1"/>`,
};

export const icon = (name) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${PATHS[name]}</svg>`;

const KINDS = { help: "bell", water: "water", cutlery: "cutlery", bill: "bill" };

// One tap each, from every screen, also when there is no connection.
export function callStrip() {
  return html`<div class="calls" role="group" aria-label=${t("callStaff")}>
    ${Object.entries(KINDS).map(
      ([kind, picture]) => html`<button type="button" class=${classMap({ call: true, called: state.calls[kind]?.state === "open", waiting: state.calls[kind]?.state === "waiting" })} data-call=${kind} @click=${() => call(kind)}>
        ${icon(state.calls[kind]?.state === "open" ? "check" : picture)}<span>${t(kind)}</span>
        ${state.calls[kind] ? html`<small>${t(state.calls[kind].state === "open" ? "onTheWay" : "callWaiting")}</small>` : nothing}
      </button>`,
    )}
  </div>`;
}

export function stepper(quantity, { onChange, max, min = 1, label }) {
  return html`<div class="stepper" role="group" aria-label=${label}>
    <button type="button" aria-label=${t("less")} ?disabled=${quantity <= min} @click=${(event) => onChange(quantity - 1, event)}>${icon("minus")}</button>
    <output aria-live="polite">${quantity}</output>
    <button type="button" aria-label=${t("more")} ?disabled=${quantity >= max} @click=${(event) => onChange(quantity + 1, event)}>${icon("plus")}</button>
  </div>`;
}

// What lies over the menu. A native modal dialog keeps the focus inside and closes with Escape; staff can be called
// from inside it, because everything outside is out of reach. A second Escape the browser obeys without asking: what
// must be seen is shown again.
export function sheet({ name, title, body, footer = nothing, closable = true, onClose = () => change({ dialog: null }), onBeside = onClose, wide = false }) {
  return html`<dialog
    class=${classMap({ sheet: true, wide })}
    data-dialog=${name}
    aria-labelledby="sheet-title"
    @cancel=${(event) => {
      event.preventDefault();
      if (closable) onClose();
    }}
    @close=${() => (closable ? onClose() : change({}))}
    @click=${(event) => closable && event.target === event.currentTarget && onBeside()}
  >
    <div class="sheet-inside">
      <header>
        <h2 id="sheet-title" tabindex="-1">${title}</h2>
        ${closable ? html`<button type="button" class="round" aria-label=${t("close")} @click=${onClose}>${icon("close")}</button>` : nothing}
      </header>
      <div class="sheet-body">${body}</div>
      <footer>${footer}${callStrip()}</footer>
    </div>
    ${toast()}
  </dialog>`;
}

export function toast() {
  const { toast } = state;
  return html`<div class="toast" role="status" aria-live="polite">${toast ? html`<p>${t(toast.name, { kind: toast.kind && t(toast.kind) })}</p>` : nothing}</div>`;
}
