'use strict';

// An environment whose engine has lost the web's classes before the library is loaded, as that of ArkTS has none. For
// tests/js/web_life.test.js: it says `passed`, or what went wrong.

const assert = require('node:assert');
const { parentPort, workerData } = require('node:worker_threads');

const NAMES = ['Event', 'EventTarget', 'MessageEvent', 'CloseEvent', 'DOMException', 'Blob', 'WebSocket', 'performance', 'AbortSignal'];
for (const name of NAMES) {
  delete globalThis[name];
  if (globalThis[name]) Object.defineProperty(globalThis, name, { value: undefined, configurable: true, writable: true });
}

const loaded = { exports: {} };
process.dlopen(loaded, workerData.library);
const { web, createAbortSignal } = loaded.exports;
const { WebSocket, Event, MessageEvent, CloseEvent, EventTarget, DOMException } = web;

const next = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

async function run() {
  // DOMException.
  const exception = new DOMException('text', 'SyntaxError');
  assert(exception instanceof DOMException && exception instanceof Error);
  assert.deepStrictEqual([exception.name, exception.message, exception.code, DOMException.SYNTAX_ERR], ['SyntaxError', 'text', 12, 12]);
  assert.deepStrictEqual([new DOMException().name, new DOMException().message, String(exception)], ['Error', '', 'SyntaxError: text']);
  assert.throws(() => new WebSocket('none'), (error) => error instanceof DOMException && error.name === 'SyntaxError' && error.code === 12);
  assert.strictEqual(typeof exception.stack, 'string');

  // Event and EventTarget.
  class Derived extends EventTarget {
    constructor() {
      super();
      this.log = [];
    }
  }
  const target = new Derived();
  assert(target instanceof EventTarget);
  const listener = (event) => {
    target.log.push(event.type, event.target === target, event.currentTarget === target, event.eventPhase, event.cancelable);
    event.preventDefault();
  };
  target.addEventListener('own', listener);
  target.addEventListener('own', (event) => event.stopImmediatePropagation());
  target.addEventListener('own', () => target.log.push('stopped'));
  const event = new Event('own', { cancelable: true, bubbles: 1 });
  assert.deepStrictEqual([event.type, event.bubbles, event.composed, event.isTrusted, event.target, event.defaultPrevented], ['own', true, false, false, null, false]);
  assert.strictEqual(target.dispatchEvent(event), false);
  assert.deepStrictEqual(target.log, ['own', true, true, 2, true]);
  assert.deepStrictEqual([event.defaultPrevented, event.currentTarget, event.eventPhase, event.target === target, event.returnValue], [true, null, 0, true, false]);
  target.removeEventListener('own', listener);
  assert.strictEqual(target.dispatchEvent(new Event('own', { cancelable: true })), true);
  target.addEventListener('passive', (each) => each.preventDefault(), { passive: true });
  assert.strictEqual(target.dispatchEvent(new Event('passive', { cancelable: true })), true);
  const message = new MessageEvent('message', { data: 7, origin: 'o', ports: [] });
  assert(message instanceof Event && message instanceof MessageEvent);
  assert.deepStrictEqual([message.data, message.origin, message.lastEventId, message.source, message.ports.length], [7, 'o', '', null, 0]);
  const close = new CloseEvent('close', { code: 65537, reason: 'r', wasClean: 1 });
  assert.deepStrictEqual([close.code, close.reason, close.wasClean, close instanceof Event], [1, 'r', true, true]);
  for (const wrong of [() => new Event(), () => Event('x'), () => new Event('x', 1), () => new EventTarget().dispatchEvent({}), () => EventTarget()]) assert.throws(wrong, TypeError);

  // A connection.
  const ws = new WebSocket(workerData.url);
  assert(ws instanceof EventTarget);
  EventTarget.prototype.addEventListener.call(ws, 'open', () => target.log.push('of the base'));
  assert.strictEqual(ws.binaryType, 'arraybuffer');
  ws.binaryType = 'blob';
  assert.strictEqual(ws.binaryType, 'arraybuffer');
  const signal = createAbortSignal();
  ws.addEventListener('message', () => target.log.push('signal'), { signal });
  assert((await next(ws, 'open')) instanceof Event);
  assert.strictEqual(target.log.at(-1), 'of the base');
  ws.send('text');
  const received = await next(ws, 'message');
  assert(received instanceof MessageEvent);
  assert.deepStrictEqual([received.data, received.isTrusted, received.target === ws, Object.prototype.toString.call(received)], ['text', true, true, '[object MessageEvent]']);
  const copy = new received.constructor(received.type, received);
  assert.deepStrictEqual([copy.data, copy.isTrusted], ['text', false]);
  assert.strictEqual(target.log.at(-1), 'signal');
  signal.abort();
  ws.send(new Uint8Array([1, 2, 3]));
  assert.deepStrictEqual([...new Uint8Array((await next(ws, 'message')).data)], [1, 2, 3]);
  assert.strictEqual(target.log.filter((entry) => entry === 'signal').length, 1);
  ws.close(3000, 'bye');
  const end = await next(ws, 'close');
  assert.deepStrictEqual([end instanceof CloseEvent, end.code, end.reason, end.wasClean, typeof end.timeStamp], [true, 3000, 'bye', true, 'number']);

  const global = {};
  web.install(global);
  for (const name of ['Event', 'EventTarget', 'MessageEvent', 'CloseEvent', 'DOMException', 'WebSocket']) assert.strictEqual(global[name], web[name]);
}

run().then(() => parentPort.postMessage('passed'), (error) => parentPort.postMessage(String(error?.stack ?? error)));
