// Staff set the tablet up once.

import { setUp } from "../actions/sign_in.js";
import { html, nothing } from "../html.js";
import { t } from "../i18n.js";
import { ownPlace, state } from "../state.js";
import { languages, notice } from "./corner.js";

export function setup() {
  // The QR code on the table's card fills in all but the password, else the table where the tablet was.
  const filled = { ...ownPlace(), ...Object.fromEntries(new URLSearchParams(location.search)) };
  const send = (event) => {
    event.preventDefault();
    setUp(Object.fromEntries(new FormData(event.target)));
  };
  return html`<main class="setup">
    <form @submit=${send}>
      <p class="brand">Table Order</p>
      <h1>${t("setupTitle")}</h1>
      <p class="muted">${t("setupHint")}</p>
      ${notice()}
      ${state.entry ? html`<p class="problem">${t("orderWaits")}</p>` : nothing}
      <label>${t("storeCode")}<input name="store" required maxlength="40" autocapitalize="none" autocomplete="off" spellcheck="false" value=${filled.store ?? ""} /></label>
      <label>${t("tableNumber")}<input name="table" required maxlength="20" autocomplete="off" value=${filled.table ?? ""} /></label>
      <label>${t("tablePassword")}<input name="password" type="password" required maxlength="128" autocomplete="off" /></label>
      <button class="primary" ?disabled=${state.busy}>${t(state.busy ? "starting" : "start")}</button>
      ${languages()}
    </form>
  </main>`;
}
