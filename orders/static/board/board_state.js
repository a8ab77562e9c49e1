// What the board knows: a snapshot, and the events after it. Pure, so that it can be tested without a page.
//
// What has a version is kept by the highest one. A session or a call has none, but goes one way only, so its furthest
// state is kept. Whatever comes twice, or is in the snapshot already, changes nothing then.

const FURTHER = ["active", "expired", "completed", "open", "resolved"];

export class BoardState {
  constructor(snapshot) {
    this.tables = new Map();
    this.orders = new Map();
    this.sessions = new Map();
    this.calls = new Map();
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
    else if (kind === "session") further(this.sessions, { ...data, table });
    else if (kind === "call") further(this.calls, data);
  }

  takeOrder(order) {
    newer(this.orders, order);
  }

  // Tables in reading order, each with its party, its unsettled bills and its open calls.
  shown() {
    const bills = group(this.sessions.values(), (session) => session.table);
    const calls = group([...this.calls.values()].filter((call) => call.state === "open"), (call) => call.table.id);
    const orders = group(this.orders.values(), (order) => order.session);
    return [...this.tables.values()]
      .map((table) => {
        const all = (bills.get(table.id) ?? []).map((session) => bill(session, orders.get(session.id) ?? []));
        return {
          ...table,
          party: all.find(({ session }) => session.state === "active") ?? null,
          unsettled: all.filter(({ session }) => session.state === "expired").sort((a, b) => (a.session.started_at < b.session.started_at ? -1 : 1)),
          calls: (calls.get(table.id) ?? []).sort((a, b) => (a.opened_at < b.opened_at ? -1 : 1)),
        };
      })
      .filter((table) => table.is_active || table.party || table.unsettled.length || table.calls.length)
      .sort((a, b) => a.number.length - b.number.length || (a.number < b.number ? -1 : 1));
  }
}

function newer(kept, data) {
  if (data.version > (kept.get(data.id)?.version ?? 0)) kept.set(data.id, data);
}

function further(kept, data) {
  const known = kept.get(data.id);
  if (!known || FURTHER.indexOf(data.state) > FURTHER.indexOf(known.state)) kept.set(data.id, data);
}

function group(values, by) {
  const groups = new Map();
  for (const value of values) groups.set(by(value), [...(groups.get(by(value)) ?? []), value]);
  return groups;
}

function bill(session, orders) {
  const newestFirst = [...orders].sort((a, b) => (a.placed_at === b.placed_at ? (a.id < b.id ? 1 : -1) : a.placed_at < b.placed_at ? 1 : -1));
  return { session, orders: newestFirst, total: orders.reduce((sum, order) => sum + order.total, 0) };
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
