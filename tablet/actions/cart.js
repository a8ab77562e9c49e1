// What the guest does with the cart.

import { add, itemsById, orderablePart, replace, setQuantity, stillOffered } from "../cart.js";
import { change, keep, state } from "../state.js";
import { newKey } from "../storage.js";
import { say } from "./toast.js";

const setCart = (cart) => keep("cart", cart);
export const changeQuantity = (key, quantity) => setCart(setQuantity(state.cart, key, quantity));

export const addToCart = (line) => putIn(add(state.cart, { ...line, key: newKey() }));
export const replaceInCart = (line) => putIn(replace(state.cart, line));

// Is it in the cart now? If that is full, the guest is told so.
function putIn(cart) {
  const isIn = cart !== state.cart;
  if (isIn) setCart(cart);
  else say({ name: "cartFull" });
  return isIn;
}

// A dish as it is in the cart, to be chosen anew; then the guest is where it was opened.
export function openLine({ key, item: id, options, quantity, note }) {
  const choice = { name: "item", line: key, item: id, options, quantity, note, back: state.dialog };
  const item = itemsById(state.menu).get(id);
  change({ dialog: item ? stillOffered(choice, item) : choice });
}

// Where there is no room for the cart beside the menu, which the style knows, it lies over it.
export function showCart() {
  const isBeside = document.querySelector(".cart-panel").getClientRects().length > 0;
  change({ dialog: isBeside ? null : { name: "cart" } });
}

export function clearCart() {
  keep("cart", []);
  keep("cartNote", "");
}

export function takeOutUnorderable() {
  setCart(orderablePart(state.cart, state.menu));
  if (!state.cart.length) change({ dialog: null }); // nothing to look at, let alone to send
}
