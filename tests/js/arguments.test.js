'use strict';

// Arguments of a wrong type or out of range.

const fs = require('node:fs');
const path = require('node:path');
const { assert } = require('./harness.js');
const { PARAMETER, assertError, callbackOf, failureOf, library, socketTest } = require('./support.js');

const { WS_URL } = process.env;

socketTest('the message of an error is part of its JSON', async (socket) => {
  const { ws } = socket;
  const thrown = await failureOf(() => library.setLogLevel('loud'));
  const parameter = await failureOf(() => ws.prepareAttempt('first'));
  const rejected = await failureOf(() => ws.connect('x:'));
  const called = (await callbackOf((callback) => ws.send('too early', callback))).err;
  await ws.connect(`${WS_URL}/status/404`);
  const told = await socket.error();
  for (const error of [thrown, parameter, rejected, called, told]) {
    const { code, message } = JSON.parse(JSON.stringify(error));
    assert.strictEqual(code, error.code);
    assert(message.length > 0 && message === error.message, message);
    assert(Object.keys(error).includes('message'));
  }
});

// The web's WebSocket refuses shared memory as well. A detached buffer has nothing left that could have been meant.
socketTest('refuses detached buffers and shared memory, and accepts empty buffers', async (socket) => {
  const { ws } = socket;
  await socket.open(`${WS_URL}/opcode`);
  const detached = new ArrayBuffer(4);
  const views = [detached, new Uint8Array(detached), new Float64Array(detached, 0, 0), new DataView(detached)];
  structuredClone(detached, { transfer: [detached] });
  const shared = new SharedArrayBuffer(4);
  const sharing = [new Uint8Array(shared), new Uint8Array(shared, 0, 0), new DataView(shared)];
  const calls = [(data) => ws.send(data), (data) => ws.sendPiece(data, true), (data) => ws.ping(data)];
  for (const call of calls) {
    for (const data of views) assertError(await failureOf(() => call(data)), PARAMETER, /^data: .*detached/);
    // To JavaScriptCore, a SharedArrayBuffer is an ArrayBuffer.
    if (process.versions.bun) continue;
    assertError(await failureOf(() => call(shared)), PARAMETER, /^data/);
    for (const data of sharing) assertError(await failureOf(() => call(data)), PARAMETER, /^data: .*SharedArrayBuffer/);
  }
  for (const data of [new ArrayBuffer(0), new Uint8Array(0), new DataView(new ArrayBuffer(4), 4), new Uint16Array(new ArrayBuffer(4), 2, 0)]) {
    await ws.send(data);
    assert.strictEqual(await socket.message(), 'binary 0');
  }
  await socket.shut();
});

socketTest('names the parameter of a wrong type', async (socket) => {
  const { ws } = socket;
  for (const [call, name] of [
    [() => ws.connect(), /url/],
    [() => ws.connect(5), /url/],
    [() => ws.connect(WS_URL, 5), /options/],
    [() => ws.connect(WS_URL, { protocol: 5 }), /protocol/],
    [() => ws.connect(WS_URL, {}, 5), /callback/],
  ]) {
    assertError(await failureOf(call), PARAMETER, name);
  }
  await socket.open(WS_URL);
  for (const [call, name] of [
    [() => ws.send(), /data/],
    [() => ws.send(5), /data/],
    [() => ws.send(null), /data/],
    [() => ws.send({}), /data/],
    [() => ws.send('x', 5), /callback/],
    [() => ws.close(5), /options/],
    [() => ws.close({}, 5), /callback/],
  ]) {
    assertError(await failureOf(call), PARAMETER, name);
  }
  await socket.ws.send('still open');
  assert.strictEqual(await socket.message(), 'still open');
  await socket.shut();
});

socketTest('refuses header names and values that would break the request', async (socket) => {
  for (const header of [{ 'x y': 'a' }, { '': 'a' }, { 'x-split': 'a\r\nx-injected: b' }]) {
    assertError(await failureOf(() => socket.ws.connect(WS_URL, { header })), PARAMETER, /header/);
  }
});

socketTest('refuses a sub-protocol that is not a token', async (socket) => {
  assertError(await failureOf(() => socket.ws.connect(WS_URL, { protocol: 'a\r\nb' })), PARAMETER, /protocol/);
});

socketTest('limits and timeouts are options', async (socket) => {
  const { ws } = socket;
  await ws.connect(`${WS_URL}/hang`, { connectTimeout: 200 });
  const error = await socket.error();
  assert.match(error.message, /timed out.* 200 ms/);
  await ws.connect(`${WS_URL}/large/1001`, { maxMessageSize: 1000 });
  await socket.next('open');
  const { result } = await socket.broken();
  assert.strictEqual(result.code, 1009);
  for (const [name, value] of [
    ['connectTimeout', 0], ['connectTimeout', '1'], ['closeTimeout', -1], ['closeTimeout', NaN],
    ['maxMessageSize', 0], ['maxMessageSize', 1.5], ['sendQueueLimit', Infinity], ['sendQueueLimit', 'much'],
  ]) {
    assertError(await failureOf(() => ws.connect(WS_URL, { [name]: value })), PARAMETER, new RegExp(`^${name}: `));
  }
});

const DECLARATIONS = path.join(__dirname, '../../package/src/main/cpp/types/libnet_websocket/index.d.ts');

/** The fields of an interface of index.d.ts. */
function fieldsOf(name) {
  const [, body] = new RegExp(`^  interface ${name} \\{\\n([^]*?)^  \\}`, 'm').exec(fs.readFileSync(DECLARATIONS, 'utf8'));
  return [...body.matchAll(/^    (\w+)\??:/gm)].map((match) => match[1]).sort();
}

// What an error calls known is what index.d.ts declares, no more and no less.
socketTest('the error of an unknown field lists the declared ones', async ({ ws }) => {
  const server = library.createWebSocketServer();
  for (const [declared, call] of [
    ['ReconnectOptions', () => ws.connect(WS_URL, { reconnect: { none: 1 } })],
    ['CertificatePinning', () => ws.connect(WS_URL, { certificatePinning: { none: 1 } })],
    ['AttemptChange', () => ws.prepareAttempt(1, { none: 1 })],
    ['ServerCert', () => server.start({ serverPort: 0, serverCert: { none: 1 } })],
    ['ServerStopOptions', () => server.stop({ none: 1 })],
  ]) {
    const error = await failureOf(call);
    assertError(error, PARAMETER, /none: is unknown; the known fields are \w/);
    const known = error.message.split('known fields are ')[1].split(', ').sort();
    assert.deepStrictEqual(known, fieldsOf(declared), declared);
  }
});
