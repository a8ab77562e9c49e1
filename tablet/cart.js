// The cart, as plain data: [{key, item (id), name, quantity, options [ids], note, seen}], always priced from the menu as it
// is now. `name`: for when the dish is gone from it; `seen`: the unit price that the guest saw when adding, which a cart from
// before it was kept hasn't.

export const MAX_QUANTITY = 99;
export const MAX_LINES = 50;

export function itemsById(menu) {
  return new Map((menu?.categories ?? []).flatMap((category) => category.items.map((item) => [item.id, item])));
}

const optionsOf = (item) => item.option_groups.flatMap((group) => group.options);

// Switched off, without portions, or without enough options left for a choice that it demands: who opened it could choose
// nothing and get nowhere.
export const isSoldOut = (item) =>
  item.sold_out || item.option_groups.some((group) => group.options.filter((option) => !option.sold_out).length < group.min);

// What is still wrong with this choice of options: the first group with too few or too many, or null.
export function openChoice(item, options) {
  return item.option_groups.find((group) => {
    const count = group.options.filter((option) => options.includes(option.id)).length;
    return count < group.min || count > group.max;
  }) ?? null;
}

// The options after a tap on one: within a group of one it replaces, a full group takes no more.
export function toggle(group, options, id) {
  const inGroup = group.options.map((option) => option.id);
  const taken = options.filter((option) => inGroup.includes(option));
  if (taken.includes(id)) return group.min === 1 && group.max === 1 ? options : options.filter((option) => option !== id);
  if (group.max === 1) return [...options.filter((option) => !inGroup.includes(option)), id];
  return taken.length < group.max ? [...options, id] : options;
}

export function unitPrice(item, options) {
  const deltas = optionsOf(item).filter((option) => options.includes(option.id));
  return Math.max(0, deltas.reduce((sum, option) => sum + option.price_delta, item.price));
}

// How much of a dish is in the cart, with whatever options.
export const inCart = (cart, id) => cart.filter((line) => line.item === id).reduce((sum, line) => sum + line.quantity, 0);

// The cart with everything a view or an order needs. `problem`: "gone", "soldOut", "options" (the dish can be had, but not
// with these) or null; `out`: the chosen options that are sold out; `left`: portions there are, null where they are not
// counted; `most`: of them for this line; `was`: the unit price that was seen, where it is another now, else null. `total`
// is of what can be ordered.
export function priced(cart, menu) {
  const items = itemsById(menu);
  const lines = cart.map((line) => {
    const item = items.get(line.item);
    if (!item) return { ...line, chosen: [], out: [], unit: 0, total: 0, was: null, problem: "gone", left: 0, most: 0 };
    const offered = optionsOf(item);
    const chosen = line.options.map((id) => offered.find((option) => option.id === id));
    const out = chosen.filter((option) => option?.sold_out);
    const left = isSoldOut(item) ? 0 : item.stock;
    const beyond = left === null ? MAX_QUANTITY : left - inCart(cart, line.item); // negative: so many too many
    const unit = unitPrice(item, line.options);
    const isOther = out.length || chosen.includes(undefined) || openChoice(item, line.options);
    const problem = isSoldOut(item) ? "soldOut" : isOther ? "options" : beyond < 0 ? "soldOut" : null;
    const was = problem || (line.seen ?? unit) === unit ? null : line.seen;
    return { ...line, name: item.name, chosen: chosen.filter(Boolean), out, unit, was, total: unit * line.quantity, problem, left, most: Math.max(0, Math.min(MAX_QUANTITY, line.quantity + beyond)) };
  });
  return {
    lines,
    count: cart.reduce((sum, line) => sum + line.quantity, 0),
    total: lines.reduce((sum, line) => sum + (line.problem ? 0 : line.total), 0),
    orderable: lines.length > 0 && lines.every((line) => !line.problem),
    repriced: lines.some((line) => line.was !== null),
  };
}

// The cart without what can't be ordered; of what is running out, what is left.
export function orderablePart(cart, menu) {
  const items = itemsById(menu);
  const left = new Map([...items.values()].filter((item) => item.stock !== null).map((item) => [item.id, item.stock]));
  const { lines } = priced(cart, menu);
  const possible = cart.filter((_, index) => !lines[index].problem || (lines[index].problem === "soldOut" && lines[index].left > 0));
  const cut = possible.map((line) => {
    if (!left.has(line.item)) return line;
    const quantity = Math.min(line.quantity, left.get(line.item));
    left.set(line.item, left.get(line.item) - quantity);
    return { ...line, quantity };
  });
  return cut.filter((line) => line.quantity > 0);
}

// A choice without the options that the dish can no longer be had with; `lost`: those, as it `was` on the menu. They are
// taken out for good: an option that comes back must not tick itself.
export function stillOffered(choice, item, was = item) {
  const offered = optionsOf(item).filter((option) => !option.sold_out).map((option) => option.id);
  const lost = optionsOf(was).filter((option) => choice.options.includes(option.id) && !offered.includes(option.id));
  return { ...choice, options: choice.options.filter((id) => offered.includes(id)), lost: [...(choice.lost ?? []), ...lost] };
}

const isSame = (line) => (other) => other.item === line.item && other.note === line.note && String([...other.options].sort()) === String([...line.options].sort());

// The cart with one more line; the same dish with the same options and note becomes more of it, at the price seen now.
export function add(cart, line) {
  const found = cart.find(isSame(line));
  if (!found) return cart.length < MAX_LINES ? [...cart, line] : cart;
  return cart.map((other) => (other === found ? { ...other, quantity: Math.min(MAX_QUANTITY, other.quantity + line.quantity), seen: line.seen } : other));
}

// The cart with this line as it is chosen now, in its place; what has become the same as another line is more of that.
export function replace(cart, line) {
  const others = cart.filter((other) => other.key !== line.key);
  const isThere = others.length < cart.length && !others.some(isSame(line));
  return isThere ? cart.map((other) => (other.key === line.key ? line : other)) : add(others, line);
}

export function setQuantity(cart, key, quantity) {
  if (quantity < 1) return cart.filter((line) => line.key !== key);
  return cart.map((line) => (line.key === key ? { ...line, quantity: Math.min(MAX_QUANTITY, quantity) } : line));
}
