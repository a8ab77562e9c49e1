// The menu as the server has it, and as the guest looks through it.

import { itemsById, stillOffered } from "../cart.js";
import { readAgain } from "../screen.js";
import { change, keepMenu, state } from "../state.js";
import { ask, leaveIfSignedOut } from "./table.js";

export async function loadMenu() {
  const headers = state.menu?.etag ? { "If-None-Match": state.menu.etag } : {};
  const { status, body, answer } = await ask("GET", "menu", { headers });
  if (status !== 200) return;
  const was = openItem();
  keepMenu({ ...body, etag: answer.headers.get("ETag") });
  const item = openItem();
  if (was && item) change({ dialog: stillOffered(state.dialog, item, was) });
}

// The dish that is being chosen, as the menu has it.
export const openItem = () => state.dialog?.name === "item" && itemsById(state.menu).get(state.dialog.item);

// After a change, or when a picture's address has run out.
export const refreshMenu = readAgain({
  async read() {
    try {
      await loadMenu();
      return true;
    } catch (error) {
      leaveIfSignedOut(error);
      return false;
    }
  },
  isWanted: () => state.device,
  rest: (isRead) => (isRead ? 0 : 2000),
});

// It can't be shown: the signature in its address may have run out, and a newer menu has a newer one.
export function pictureLost(address) {
  change({ lostPictures: new Set([...state.lostPictures, address]) });
  if (state.connection === "live") refreshMenu();
}

// What is found, and the whole menu after it, is shown from its beginning.
export function search(query) {
  change({ query, category: null });
  for (const scrolled of [document.getElementById("menu"), window]) scrolled?.scrollTo({ top: 0 }); // which one, the height says
}
