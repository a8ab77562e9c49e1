// Behind a long press on the store's name: what staff need at the tablet.

import { signOutByHand } from "../actions/sign_in.js";
import { html, nothing } from "../html.js";
import { LANGUAGES, t } from "../i18n.js";
import { change, setPrefs, state } from "../state.js";
import { sheet } from "./parts.js";

export function cornerSheet() {
  const { store, table } = state.device;
  return sheet({
    name: "corner",
    title: t("corner"),
    body: html`<dl class="facts">
        <dt>${store.name}</dt>
        <dd>${t("table")} ${table.number}</dd>
        <dt>${t("connection")}</dt>
        <dd>${t(["live", "polling"].includes(state.connection) ? state.connection : "notConnected")}</dd>
      </dl>`,
    footer: html`<button type="button" class="secondary" data-action="sign-out" @click=${() => change({ dialog: { name: "sign-out" }, notice: null })}>${t("signOut")}</button>`,
  });
}

// For everybody: a guest who can't read small or pale type must not have to ask for it.
export function lookSheet() {
  return sheet({ name: "look", title: t("look"), body: html`${flag("largeType")} ${flag("highContrast")} ${languages()}` });
}

export function languages() {
  return html`<div class="languages" role="group" aria-label=${t("language")}>
    ${Object.entries(LANGUAGES).map(
      ([code, name]) => html`<button type="button" lang=${code} aria-pressed=${state.prefs.language === code} @click=${() => setPrefs({ language: code })}>${name}</button>`,
    )}
  </div>`;
}

function flag(name) {
  const on = state.prefs[name];
  return html`<button type="button" class="flag" role="switch" aria-checked=${on} @click=${() => setPrefs({ [name]: !on })}>
    <span>${t(name)}</span><span class="muted">${t(on ? "on" : "off")}</span>
  </button>`;
}

// Why signing in, or out, has not worked.
export const notice = () => (state.notice ? html`<p class="problem" role="alert">${t(state.notice.name, state.notice.values)}</p>` : nothing);

export function signOutSheet() {
  const send = (event) => {
    event.preventDefault();
    signOutByHand(Object.fromEntries(new FormData(event.target)));
  };
  return sheet({
    name: "sign-out",
    title: t("signOut"),
    body: html`<form id="sign-out" @submit=${send}>
      <p>${t("signOutQuestion")}</p>
      ${notice()}
      <label class="note">${t("tablePassword")}<input name="password" type="password" required maxlength="128" autocomplete="off" /></label>
    </form>`,
    footer: html`<div class="choices">
      <button type="button" class="secondary" @click=${() => change({ dialog: null })}>${t("keep")}</button>
      <button class="primary" form="sign-out" data-action="really-sign-out" ?disabled=${state.busy}>${t("signOut")}</button>
    </div>`,
  });
}
