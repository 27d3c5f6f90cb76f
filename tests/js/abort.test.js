'use strict';

// Giving up an attempt to connect by a signal.

const { assert, test, uncaughtException } = require('./harness.js');
const { OTHER, PARAMETER, assertError, failureOf, library, socketTest } = require('./support.js');

const { WS_URL } = process.env;

// Ours and the engine's own: the shape is the same.
const SIGNALS = {
  createAbortSignal: () => {
    const signal = library.createAbortSignal();
    return { signal, abort: () => signal.abort() };
  },
  AbortController: () => {
    const controller = new AbortController();
    return { signal: controller.signal, abort: () => controller.abort() };
  },
};

for (const [name, make] of Object.entries(SIGNALS)) {
  socketTest(`a signal of ${name} cancels the attempt`, async (socket) => {
    const { signal, abort } = make();
    await socket.ws.connect(`${WS_URL}/hang`, { signal });
    abort();
    assertError(await socket.error(), OTHER, /abandoned/);
    assert.deepStrictEqual(socket.log, ['error']);
    assertError(await failureOf(() => socket.ws.connect(WS_URL, { signal })), OTHER, /^connect: the signal is already aborted/);
    await socket.open(WS_URL, { signal: make().signal });
    await socket.shut();
  });

  socketTest(`a signal of ${name} does not affect an open connection or the next one`, async (socket) => {
    const { signal, abort } = make();
    await socket.open(WS_URL, { signal });
    abort();
    await socket.ws.send('still open');
    assert.strictEqual(await socket.message(), 'still open');
    await socket.shut();
    const other = make();
    await socket.ws.connect('ws://127.0.0.1:1/', { signal: other.signal });
    await socket.error();
    await socket.open(WS_URL);
    other.abort();
    await socket.ws.send('open as well');
    assert.strictEqual(await socket.message(), 'open as well');
    await socket.shut();
  });
}

test('a signal calls its listeners once; one that throws does not stop the others', async () => {
  const signal = library.createAbortSignal();
  assert.strictEqual(signal.aborted, false);
  assert.throws(() => { signal.aborted = true; }, TypeError);
  const heard = [];
  const uncaught = uncaughtException();
  const removed = () => heard.push('removed');
  signal.addEventListener('abort', () => { throw new Error('thrown by a listener'); });
  for (const listener of [removed, ({ type }) => heard.push(type)]) {
    signal.addEventListener('abort', listener);
    signal.addEventListener('abort', listener);
  }
  signal.removeEventListener('abort', removed);
  signal.removeEventListener('abort', () => {});
  signal.abort();
  signal.abort();
  assert.deepStrictEqual([signal.aborted, heard], [true, ['abort']]);
  assert.strictEqual((await uncaught).message, 'thrown by a listener');
  assertError(await failureOf(() => signal.addEventListener('abort', 5)), PARAMETER, /^listener/);
  assertError(await failureOf(() => signal.addEventListener('other', () => {})), PARAMETER, /^listener/);
});

socketTest('refuses a value that is not an AbortSignal', async (socket) => {
  for (const signal of [5, 'abort', {}, { aborted: false }, { aborted: 0, addEventListener() {}, removeEventListener() {} }, () => {}]) {
    assertError(await failureOf(() => socket.ws.connect(WS_URL, { signal })), PARAMETER, /^signal: /);
  }
});
