// The live stream: server-sent events by fetch, because EventSource sends no Authorization header. The board uses it too.

const SILENCE = 20000; // milliseconds; the server says something at least every 15 s
const SETTLED = 10000; // milliseconds after which a stream that ends has come to its end, and was not turned away
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15000;
const GIVE_UP_AFTER = 3; // failures in a row until the page asks by itself instead

// Splits the bytes of a stream into events {id, event, data}; comments and `retry` only count as signs of life.
export class Parser {
  constructor() {
    this.rest = "";
    this.decoder = new TextDecoder();
  }

  push(bytes) {
    const blocks = (this.rest + this.decoder.decode(bytes, { stream: true })).split(/\r?\n\r?\n/);
    this.rest = blocks.pop();
    return blocks.map(parseBlock).filter((event) => event.data !== undefined);
  }
}

function parseBlock(block) {
  const event = { event: "message" };
  for (const line of block.split(/\r?\n/)) {
    const at = line.indexOf(":");
    if (at < 1) continue;
    const value = line.slice(at + 1).replace(/^ /, "");
    const name = line.slice(0, at);
    event[name] = name === "data" && event.data !== undefined ? `${event.data}\n${value}` : value;
  }
  return event;
}

export class Stream {
  // `token(rejected)` gives a good access token, never the rejected one.
  // `on`: {event(type, payload), snapshot() -> cursor, isFinal(error), ended(error),
  //        state("live" | "reconnecting" (it has just broken) | "polling" | "offline")}
  constructor({ path, token, on }) {
    Object.assign(this, { path, token, on });
    this.failures = 0;
    this.stopped = false;
  }

  async run() {
    while (!this.stopped) {
      try {
        if (this.cursor === undefined) this.cursor = await this.on.snapshot();
        if (await this.listen()) continue;
      } catch (error) {
        if (this.on.isFinal(error)) return this.on.ended(error);
      }
      if (this.stopped) return;
      this.failures += 1;
      if (this.failures < GIVE_UP_AFTER) this.on.state(this.failures === 1 ? "reconnecting" : "offline");
      await this.betweenTries();
    }
  }

  stop() {
    this.stopped = true;
    this.abort?.abort();
    this.wake?.();
  }

  // Something says that the connection may be back.
  hurry() {
    this.wake?.();
  }

  // Something says that it is gone: the silence need not be waited for.
  lost() {
    this.abort?.abort();
  }

  // Resolves to whether to go on at once. A stream ends with its token: nothing is lost then, and nobody need be told. One
  // that ends as soon as it has begun would end so again: to ask at once would be to ask all the time.
  async listen() {
    this.abort = new AbortController();
    let watch = setTimeout(() => this.abort.abort(), SILENCE);
    try {
      const token = await this.token();
      let answer = await this.ask(token);
      if (answer.status === 401) answer = await this.ask(await this.token(token)); // renewed, or we find out that we are signed out
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const reader = answer.body.getReader();
      const parser = new Parser();
      let since = Infinity; // when it began to speak
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return Date.now() - since > SETTLED;
        since = Math.min(since, Date.now());
        clearTimeout(watch);
        watch = setTimeout(() => this.abort.abort(), SILENCE);
        this.failures = 0;
        this.on.state("live");
        for (const event of parser.push(value)) await this.take(event);
      }
    } finally {
      clearTimeout(watch);
    }
  }

  ask(token) {
    return fetch(`${this.path}?after=${this.cursor}`, {
      headers: { Authorization: `Bearer ${token}`, Accept: "text/event-stream" },
      cache: "no-store",
      signal: this.abort.signal,
    });
  }

  async take({ id, event, data }) {
    if (event === "reset") this.cursor = await this.on.snapshot();
    else this.on.event(event, JSON.parse(data));
    if (id !== undefined && Number(id) > this.cursor) this.cursor = Number(id);
  }

  // A proxy that lets no stream through must not leave the guest with an old bill: then we ask every few seconds.
  async betweenTries() {
    const asking = this.failures >= GIVE_UP_AFTER;
    if (asking) {
      try {
        this.cursor = await this.on.snapshot();
        this.on.state("polling");
      } catch (error) {
        if (this.on.isFinal(error)) return this.on.ended(error);
        this.on.state("offline");
      }
    }
    const doubled = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (this.failures - 1));
    await new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, (asking ? 4000 : doubled) * (0.5 + Math.random()));
    });
  }
}
