'use strict';

// What is asked of a server through the ArkTS API. Each point ends in a short text, which the runner compares with
// expected.json. Knows no server; runs in Node, and in Bun with the OpenHarmony binaries.

const EVENTS = ['open', 'message', 'close', 'error', 'reconnecting', 'reconnected'];
const ECHO_SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_000_000];
const PATIENCE_MS = 10_000;
/** After this long without an event a server has chosen to do nothing. */
const NOTHING_MS = 1_500;

/** For the echo of an empty message, which some servers do not give. */
const EMPTY_MS = 4_000;

/** What no server may bring about; it fails the run. */
class Fault extends Error {}

/** A socket whose events are kept in order, and held against the promises that all connections keep. */
class Connection {
  constructor(library, url, options = {}) {
    this.library = library;
    this.events = [];
    this.waiting = new Set();
    this.pings = [];
    this.wasOpen = false;
    this.ended = false;
    this.socket = library.createWebSocket();
    for (const type of EVENTS) this.socket.on(type, (...args) => this.record(type, args));
    this.started = performance.now();
    this.socket.on('frame', ({ direction, opcode }) => {
      if (direction === 'received' && opcode === 9) this.pings.push(performance.now() - this.started);
    });
    this.refused = this.socket.connect(url, options).then(() => undefined, (error) => error);
  }

  record(type, args) {
    if (this.ended) this.fault = `${type} after the end`;
    const value = type === 'error' || type === 'reconnecting' || type === 'reconnected' ? args[0] : args[1];
    if (type === 'error' && !value.message.includes('at 127.0.0.1') && !this.wasOpen) this.fault = `no server is named: ${value.message}`;
    if (type === 'error' && this.events.some((event) => event.type === 'error')) this.fault = 'two error events';
    if (type === 'open') this.wasOpen = true;
    this.ended = type === 'close' || (type === 'error' && !this.wasOpen);
    this.events.push({ type, value, at: performance.now() - this.started });
    for (const check of [...this.waiting]) check();
  }

  /** The first event that passes, even if it has come; undefined after `ms`. */
  when(passes, ms = PATIENCE_MS) {
    return new Promise((resolve) => {
      const settle = (event) => {
        this.waiting.delete(check);
        clearTimeout(timer);
        resolve(event);
      };
      const check = () => {
        const found = this.events.find(passes);
        if (found) settle(found);
      };
      const timer = setTimeout(() => settle(undefined), ms);
      this.waiting.add(check);
      check();
    });
  }

  isEnd(event) {
    return event.type === 'close' || (event.type === 'error' && !this.wasOpen);
  }

  end(ms) {
    return this.when((event) => this.isEnd(event), ms);
  }

  /** Waits until it is open or over; true when it is open. */
  async open() {
    const refused = await this.refused;
    if (refused) throw new Fault(`connect was refused: ${refused.message}`);
    const event = await this.when(({ type }) => type === 'open' || type === 'error' || type === 'close');
    if (!event) throw new Fault('neither open nor an error');
    return event.type === 'open';
  }

  /** The next message that has not been taken; undefined when none comes, or the connection ends. */
  async message(ms) {
    const event = await this.when((each) => (each.type === 'message' && !each.taken) || this.isEnd(each), ms);
    if (event?.type !== 'message') return undefined;
    event.taken = true;
    return event.value;
  }

  /** How it ended, in words that do not change with ports and times. */
  words() {
    const end = this.events.find((event) => this.isEnd(event));
    if (!end) return 'stays open';
    const cause = this.library.Cause[end.value.cause];
    if (end.type === 'close') {
      const { code, reason } = end.value;
      return code === 1006 ? `1006, ${cause}` : `${code} ${JSON.stringify(reason)}, ${cause}`;
    }
    const { response, message } = end.value;
    if (response) return `HTTP ${response.status}${response.message && ` ${response.message}`}, ${response.body ? 'a body' : 'no body'}`;
    return `${cause}: ${message.replaceAll(/:\d{4,5}\b/g, '')}`;
  }

  async finish() {
    this.socket.close().catch(() => {});
    if (!(await this.end())) throw new Fault('no close event after close()');
    if (this.fault) throw new Fault(this.fault);
  }
}

/** Bytes that do not compress, the same in every run. */
function varied(size) {
  const bytes = new Uint8Array(size);
  let state = 0x2545f491;
  for (let at = 0; at < size; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

function payload(size, text, alike) {
  const bytes = alike ? new Uint8Array(size).fill(97) : varied(size);
  if (!text) return bytes.buffer;
  return alike ? 'a'.repeat(size) : Array.from(bytes, (byte) => String.fromCharCode(32 + (byte % 95))).join('');
}

function same(a, b) {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;
}

async function opened(target, path, options) {
  const connection = new Connection(target.library, target.url + path, { ...target.options, ...options });
  if (await connection.open()) return connection;
  const words = connection.words();
  if (connection.fault) throw new Fault(connection.fault);
  throw new Error(words);
}

/** One echo after the other; a connection that ends is replaced. */
async function echoes(target, path) {
  const wrong = [];
  let connection = await opened(target, path);
  for (const size of ECHO_SIZES) {
    for (const text of [true, false]) {
      for (const alike of [true, false]) {
        const sent = payload(size, text, alike);
        await connection.socket.send(sent).catch(() => {});
        const back = await connection.message(size === 0 ? EMPTY_MS : PATIENCE_MS);
        if (back !== undefined && same(sent, back)) continue;
        const how = connection.ended ? connection.words() : back === undefined ? 'nothing' : 'another message';
        wrong.push(`${text ? 'text' : 'binary'} of ${size}: ${how}`);
        await connection.finish();
        connection = await opened(target, path);
      }
    }
  }
  const { extensions } = connection.socket;
  await connection.finish();
  return { extensions, echoes: wrong.length === 0 ? '28 of 28' : `${28 - wrong.length} of 28; ${[...new Set(wrong)].join('; ')}` };
}

const POINTS = {
  /** With an Origin that names no port, as the platform sends it. */
  async origin(target) {
    const connection = new Connection(target.library, target.url + target.path, { ...target.options, supportOriginPort: false });
    const words = (await connection.open()) ? 'open' : connection.words();
    if (words === 'open') await connection.finish();
    return words;
  },

  async echoes(target) {
    const { extensions, echoes: result } = await echoes(target, target.path);
    return { compression: extensions || 'none', echoes: result };
  },

  async compressed(target) {
    const { extensions, echoes: result } = await echoes(target, '/compressed');
    return { 'compression, switched on': extensions || 'none', 'echoes, compressed': result };
  },

  /** A message in three fragments. */
  async pieces(target) {
    const connection = await opened(target, target.path);
    await connection.socket.sendPiece('one ', false);
    await connection.socket.sendPiece('two ', false);
    await connection.socket.sendPiece('three', true);
    const back = await connection.message();
    const words = back === 'one two three' ? 'echoed' : back === undefined ? connection.words() : `came back as ${JSON.stringify(back)}`;
    await connection.finish();
    return words;
  },

  /** Our close with 4000: `close` has that code in any case, so what counts is whether the server answered. */
  async 'our close'(target) {
    const connection = await opened(target, target.path, { closeTimeout: 3000 });
    let answered = false;
    connection.socket.on('frame', ({ direction, opcode }) => { answered ||= direction === 'received' && opcode === 8; });
    connection.socket.close({ code: 4000, reason: 'done' }).catch(() => {});
    if (!(await connection.end())) throw new Fault('no close event after close()');
    const words = connection.words();
    await connection.finish();
    return `${words.startsWith('4000') ? 'told' : words}${answered ? '' : ', no close frame in answer'}`;
  },

  async 'their close'(target) {
    const connection = await opened(target, target.path);
    await connection.socket.send('close');
    await connection.end();
    const words = connection.words();
    await connection.finish();
    return words;
  },

  async raises(target) {
    const connection = await opened(target, target.path);
    await connection.socket.send('raise');
    await connection.end(NOTHING_MS);
    const words = connection.words();
    await connection.finish();
    return words;
  },

  async 'sub-protocol'(target) {
    const connection = await opened(target, target.path, { protocol: 'other, chat' });
    const words = connection.socket.protocol || 'none';
    await connection.finish();
    return words;
  },

  async 'unknown sub-protocol'(target) {
    const connection = await opened(target, target.path, { protocol: 'other' });
    const words = `open, ${connection.socket.protocol || 'none'}`;
    await connection.finish();
    return words;
  },

  async refusals(target) {
    const result = {};
    for (const path of target.refusals) {
      const connection = new Connection(target.library, target.url + path, target.options);
      const isOpen = await connection.open();
      result[`refusal ${path}`] = isOpen ? `open at ${new URL(connection.socket.url).pathname}` : connection.words();
      await connection.finish();
    }
    return result;
  },

  /** The largest message that the server takes, and one byte more. */
  async limit(target) {
    const result = {};
    for (const [name, size] of [['at the limit', target.limit], ['over the limit', target.limit + 1]]) {
      const connection = await opened(target, target.path, { perMessageDeflate: false, fragmentMessages: false });
      connection.socket.send(new Uint8Array(size).fill(98).buffer).catch(() => {});
      const back = await connection.message();
      result[name] = back === undefined ? connection.words() : back.byteLength === size ? 'echoed' : `${back.byteLength} bytes back`;
      await connection.finish();
    }
    return result;
  },
};

/** Runs a point; an ordinary failure is its result, a Fault is thrown. */
async function runPoint(name, target) {
  try {
    const result = await POINTS[name](target);
    return typeof result === 'string' ? { [name]: result } : result;
  } catch (error) {
    if (error instanceof Fault || !(error instanceof Error) || error.constructor !== Error) throw error;
    return { [name]: error.message };
  }
}

module.exports = { Connection, Fault, POINTS, runPoint };
