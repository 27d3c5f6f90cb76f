'use strict';

// What the tests of the ArkTS API share. Needs NET_WEBSOCKET_LIB and what the echo server prints: WS_URL, WSS_URL,
// WSS_UNTRUSTED_URL, CA_FILE.

const fs = require('node:fs');

const { assert, test } = require('./harness.js');
const { load } = require('./load.js');
const { unusedPort } = require('./server.js');

for (const name of ['WS_URL', 'WSS_URL', 'WSS_UNTRUSTED_URL', 'CA_FILE']) {
  if (!process.env[name]) throw new Error(`${name} is not set; run this through tests/js/run.sh`);
}

const library = load();

// The system module's codes.
const PARAMETER = 401;
const URL_INVALID = 2302001;
const CERTIFICATE_FILE = 2302002;
const ALREADY_EXISTS = 2302003;
const OTHER = 2302999;
const HTTP_STATUS = 200;

const EVENTS = ['open', 'message', 'close', 'error', 'headerReceive', 'dataEnd'];
const TERMINAL = ['close', 'error'];

/** A socket with a listener on every event, which keeps them in order. */
class Recorder {
  constructor({ cleanup }) {
    this.ws = library.createWebSocket();
    this.log = [];
    this.unread = [];
    this.waiting = undefined;
    for (const type of EVENTS) this.ws.on(type, (...args) => this.record({ type, args }));
    // A failed test must not keep the process alive.
    cleanup(() => this.ws.close().catch(() => {}));
  }

  record(event) {
    this.log.push(event.type);
    this.unread.push(event);
    this.waiting?.();
  }

  /** The arguments of the next event of that type; rejects when the connection ends before it. */
  async next(type) {
    for (;;) {
      while (this.unread.length > 0) {
        const event = this.unread.shift();
        if (event.type === type) return event.args;
        if (TERMINAL.includes(event.type)) {
          throw new Error(`waiting for ${type}, but ${event.type} came: ${JSON.stringify(event.args)} ${event.args[0]?.message ?? ''}`);
        }
      }
      await new Promise((resolve) => (this.waiting = resolve));
    }
  }

  /** How an open connection broke: the `error` event's argument, if there was one, and the `close` event's. */
  async broken() {
    let error;
    for (;;) {
      const event = this.unread.shift();
      if (event?.type === 'error') {
        assert.strictEqual(error, undefined, 'two error events');
        [error] = event.args;
      }
      if (event?.type === 'close') return { error, result: event.args[1] };
      if (!event) await new Promise((resolve) => (this.waiting = resolve));
    }
  }

  async message() {
    const [err, data] = await this.next('message');
    assert.strictEqual(err, undefined);
    return data;
  }

  async closed() {
    const [err, result] = await this.next('close');
    assert.strictEqual(err, undefined);
    return result;
  }

  async error() {
    const args = await this.next('error');
    assert.strictEqual(args.length, 1);
    return args[0];
  }

  /** What the next event `close` tells, whatever comes before it. */
  async nextClose() {
    for (;;) {
      const event = this.unread.shift();
      if (event?.type === 'close') return event.args[1];
      if (!event) await new Promise((resolve) => (this.waiting = resolve));
    }
  }

  async open(url, options) {
    assert.strictEqual(await this.ws.connect(url, options), true);
    const [err, result] = await this.next('open');
    assert.strictEqual(err, undefined);
    return result;
  }

  async shut() {
    assert.strictEqual(await this.ws.close(), true);
    return this.closed();
  }
}

/** A test with one recorded socket. */
function socketTest(name, body) {
  test(name, (context) => body(new Recorder(context), context));
}

/** Of what `close` tells, that which does not vary from run to run. */
const codeAndReason = ({ code, reason }) => ({ code, reason });

const callbackOf = (call) => new Promise((resolve) => call((err, value) => resolve({ err, value })));

/** The error of a call, thrown or rejected. */
async function failureOf(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error(`this succeeded, which it must not: ${call}`);
}

function assertError(error, code, text) {
  assert(error instanceof Error, `not an Error: ${error}`);
  assert.strictEqual(typeof error.code, 'number');
  assert.strictEqual(error.code, code, error.message);
  assert(/\S \S/.test(error.message), `not a sentence: "${error.message}"`);
  if (text) assert.match(error.message, text);
}

/** How an attempt to connect fails, at once or by the `error` event. */
async function connectFailure(socket, url, options) {
  const rejected = await socket.ws.connect(url, options).then(() => undefined, (error) => error);
  return rejected ?? socket.error();
}

/** Runs `run`, and returns the library's log lines from `level` on; undefined when stderr is not a readable file. */
async function logOf(level, run) {
  const isFile = fs.fstatSync(2).isFile();
  const from = isFile ? fs.fstatSync(2).size : 0;
  library.setLogLevel(level);
  try {
    await run();
  } finally {
    library.setLogLevel('off');
  }
  if (!isFile) return undefined;
  const log = fs.readFileSync('/proc/self/fd/2').subarray(from).toString();
  return log.split('\n').filter((line) => line.includes('NetWebSocket'));
}

/** The same of warnings. */
function warningsOf(run) {
  return logOf('warn', run);
}

/** `run` has one warning for each of `patterns`, in their order. */
async function assertWarns(run, ...patterns) {
  const warnings = await warningsOf(run);
  if (!warnings) return;
  assert.strictEqual(warnings.length, patterns.length, warnings.join('\n'));
  for (const [index, pattern] of patterns.entries()) assert.match(warnings[index], pattern);
}

function bytes(length, step = 1) {
  const values = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) values[index] = (index * step) % 251;
  return values.buffer;
}

function assertSameBytes(actual, expected) {
  assert(actual instanceof ArrayBuffer, `not an ArrayBuffer: ${Object.prototype.toString.call(actual)}`);
  assert.strictEqual(actual.byteLength, expected.byteLength);
  assert.strictEqual(Buffer.compare(Buffer.from(actual), Buffer.from(expected)), 0, 'the bytes differ');
}

module.exports = {
  ALREADY_EXISTS, CERTIFICATE_FILE, EVENTS, HTTP_STATUS, OTHER, PARAMETER, Recorder, URL_INVALID, assertError, assertSameBytes, assertWarns,
  bytes, callbackOf, codeAndReason, connectFailure, failureOf, library, logOf, socketTest, unusedPort, warningsOf,
};
