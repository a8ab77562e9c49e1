// What the board knows: a snapshot, and the events after it. Pure, so that it can be tested without a page.
//
// What has a version is kept by the highest one. A session or a call has none, but goes one way only, so its furthest
// state is kept. Whatever comes twice, or is in the snapshot already, changes nothing then. What is over is forgotten, and
// in the end its id too: a board may be open for months.

const FURTHER = ["active", "expired", "open"];
const OVER = ["completed", "resolved"];
const LATEST = 1000; // ids of what is over: nothing comes so late that it were about an older one

export class BoardState {
  constructor(snapshot) {
    this.tables = new Map();
    this.orders = new Map();
    this.sessions = new Map();
    this.calls = new Map();
    this.over = new Set(); // the latest ids of sessions and calls: nothing brings them back
    for (const { session, orders, unsettled, calls, total: _, ...table } of snapshot.tables) {
      this.tables.set(table.id, table);
      for (const bill of [{ session, orders }, ...unsettled]) {
        if (bill.session) this.sessions.set(bill.session.id, { ...bill.session, table: table.id });
        for (const order of bill.orders) this.orders.set(order.id, order);
      }
      for (const call of calls) this.calls.set(call.id, call);
    }
  }

  take({ type, table, data }) {
    const kind = type.split(".")[0];
    if (kind === "order") this.takeOrder(data);
    else if (kind === "table") newer(this.tables, data);
    else if (kind === "session") this.takeSession({ ...data, table });
    else if (kind === "call") this.further(this.calls, data);
  }

  takeOrder(order) {
    if (!this.over.has(order.session)) newer(this.orders, order);
  }

  takeSession(session) {
    this.further(this.sessions, session);
    if (!this.over.has(session.id)) return;
    for (const order of [...this.orders.values()]) if (order.session === session.id) this.orders.delete(order.id);
  }

  further(kept, data) {
    if (this.over.has(data.id)) return;
    const known = kept.get(data.id);
    if (OVER.includes(data.state)) {
      this.over.add(data.id);
      if (this.over.size > LATEST) this.over.delete(this.over.values().next().value);
      kept.delete(data.id);
    } else if (!known || FURTHER.indexOf(data.state) > FURTHER.indexOf(known.state)) kept.set(data.id, data);
  }

  // Tables in reading order, each with its party, its unsettled bills and its open calls.
  shown() {
    const bills = group(this.sessions.values(), (session) => session.table);
    const calls = group(this.calls.values(), (call) => call.table.id);
    const orders = group(this.orders.values(), (order) => order.session);
    return [...this.tables.values()]
      .map((table) => {
        const all = (bills.get(table.id) ?? []).map((session) => bill(session, orders.get(session.id) ?? []));
        return {
          ...table,
          party: all.find(({ session }) => session.state === "active") ?? null,
          unsettled: all.filter(({ session }) => session.state === "expired").sort(by(({ session }) => [session.started_at, session.id])),
          calls: (calls.get(table.id) ?? []).sort(by((call) => [call.opened_at, call.id])),
        };
      })
      .filter((table) => table.is_active || table.party || table.unsettled.length || table.calls.length)
      .sort(by((table) => [table.number.length, table.number, table.id]));
  }
}

function newer(kept, data) {
  if (data.version > (kept.get(data.id)?.version ?? 0)) kept.set(data.id, data);
}

function group(values, key) {
  const groups = new Map();
  for (const value of values) {
    if (!groups.has(key(value))) groups.set(key(value), []);
    groups.get(key(value)).push(value);
  }
  return groups;
}

function bill(session, orders) {
  const newestFirst = [...orders].sort(by((order) => [order.placed_at, order.id])).reverse();
  return { session, orders: newestFirst, total: orders.reduce((sum, order) => sum + order.total, 0) };
}

// Compares by the first of several keys that differ.
function by(keys) {
  return (a, b) => {
    const [these, those] = [keys(a), keys(b)];
    const at = these.findIndex((key, index) => key !== those[index]);
    return at < 0 ? 0 : these[at] < those[at] ? -1 : 1;
  };
}

// --- The kitchen's steps ----------------------------------------------------------------------------------------

const NEXT = {
  4: { pending: "preparing", preparing: "ready", ready: "served" },
  3: { pending: "preparing", preparing: "served", ready: "served" },
};

export const nextStep = (status, steps) => NEXT[steps][status] ?? null;

// The lines that a tap on the whole order moves: those that are the furthest behind.
export function linesBehind(order) {
  return order.lines.filter((line) => line.status === order.status);
}

export const isLive = (line) => line.status !== "cancelled";
export const isUnfinished = (line) => !["served", "cancelled"].includes(line.status);
