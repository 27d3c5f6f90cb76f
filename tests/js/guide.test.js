'use strict';

// What the platform's guide and reference show an app to do, retold: each gives what their text promises.

const { assert, test } = require('./harness.js');
const { OTHER, URL_INVALID, library, unusedPort } = require('./support.js');

const { CA_FILE, WS_URL, WSS_URL } = process.env;

/** A promise, and what settles it, for callbacks that come in any order. */
function promised() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}

test('guide: open, send with a callback, receive the last message, close with a callback', async () => {
  const ws = library.createWebSocket();
  const log = [];
  const over = promised();
  ws.on('open', (err, value) => {
    log.push(`open ${JSON.stringify(err)} ${JSON.stringify(value)}`);
    ws.send('Hello, server!', (failure, sent) => log.push(`sent ${failure?.message} ${sent}`));
  });
  ws.on('message', (err, value) => {
    log.push(`message ${JSON.stringify(err)} ${value}`);
    if (value !== 'bye') ws.send('bye', () => {});
    else ws.close((failure, closed) => log.push(`closing ${failure?.message} ${closed}`));
  });
  ws.on('close', (err, value) => over.resolve(log.push(`close ${value.code} ${value.reason}`)));
  ws.on('error', (err) => over.resolve(log.push(`error ${JSON.stringify(err)}`)));
  const connected = promised();
  ws.connect(WS_URL, (err, value) => connected.resolve([err, value]));
  assert.deepStrictEqual(await connected.promise, [undefined, true]);
  await over.promise;
  // The callbacks of calls come when the engine has the time: after the script, and maybe after the next events.
  await new Promise(setImmediate);
  const calls = log.filter((entry) => /^(sent|closing) /.test(entry));
  assert.deepStrictEqual(calls, ['sent undefined true', 'closing undefined true']);
  assert.deepStrictEqual(log.filter((entry) => !calls.includes(entry)), [
    'open undefined {"status":101,"message":"Switching Protocols"}',
    'message undefined Hello, server!',
    'message undefined bye',
    'close 1000 CLOSE_NORMAL',
  ]);
});

test('guide: the JSON of an error names the failure', async () => {
  const ws = library.createWebSocket();
  const failed = promised();
  ws.on('error', (err) => failed.resolve(JSON.stringify(err)));
  ws.connect(`ws://127.0.0.1:${await unusedPort()}/`, () => {});
  const told = JSON.parse(await failed.promise);
  assert.strictEqual(told.code, OTHER);
  assert.match(told.message, /^TCP connect to 127\.0\.0\.1/);
});

test('reference: headers, a proxy, a sub-protocol, and a close in the callback of connect', async () => {
  const ws = library.createWebSocket();
  const options = {
    header: { key: 'value', key2: 'value2' },
    proxy: { host: '127.0.0.1', port: await unusedPort(), exclusionList: [] },
    protocol: 'my-protocol',
  };
  const log = [];
  const over = promised();
  for (const type of ['open', 'message', 'error']) ws.on(type, () => over.resolve(log.push(type)));
  ws.on('close', (err, value) => over.resolve(log.push(`close ${value.code}`)));
  ws.connect('ws://server.invalid/', options, (err, value) => {
    log.push(`connect ${err} ${value}`);
    ws.close((failure, closed) => log.push(`closing ${failure} ${closed}`));
  });
  await over.promise;
  assert.deepStrictEqual(log.slice(0, 1), ['connect undefined true']);
  assert.deepStrictEqual(log.slice(1).sort(), ['close 1000', 'closing undefined true']);
});

test('reference: connect and close with undefined options', async () => {
  const ws = library.createWebSocket();
  let options;
  const connected = promised();
  ws.connect(WS_URL, options, (err, value) => connected.resolve([err, value]));
  assert.deepStrictEqual(await connected.promise, [undefined, true]);
  const over = promised();
  ws.on('close', (err, value) => over.resolve(value));
  const closing = promised();
  ws.close(options, (err, value) => closing.resolve([err, value]));
  assert.deepStrictEqual(await closing.promise, [undefined, true]);
  assert.strictEqual((await over.promise).code, 1000);
});

test('reference: connect with options, as a promise, and close with a code and a reason', async () => {
  const ws = library.createWebSocket();
  const log = [];
  const over = promised();
  ws.on('headerReceive', (data) => log.push(typeof data['sec-websocket-accept']));
  ws.on('open', () => ws.close({ code: 1000, reason: 'your reason' }).then((value) => log.push(value)));
  ws.on('close', (err, { code, reason }) => over.resolve(log.push(code, reason)));
  assert.strictEqual(await ws.connect(WSS_URL, { caPath: CA_FILE, header: { name: 'a' } }), true);
  await over.promise;
  assert.deepStrictEqual(log.slice(0, 1), ['string']);
  assert.deepStrictEqual(log.filter((entry) => entry !== true).slice(1), [1000, 'your reason']);
});

test('reference: the JSON of the error of an invalid URL has a code and a message', async () => {
  const ws = library.createWebSocket();
  const error = await ws.connect('ws://').then(() => assert.fail('it is none'), (err) => JSON.parse(JSON.stringify(err)));
  assert.strictEqual(error.code, URL_INVALID);
  assert(error.message.length > 0);
});

test('reference: close without a connection', async () => {
  const called = promised();
  library.createWebSocket().close((err, value) => called.resolve([err.code, value]));
  assert.deepStrictEqual(await called.promise, [OTHER, undefined]);
});

test('reference: dataEnd, and removed listeners', async () => {
  const ws = library.createWebSocket();
  const log = [];
  const over = promised();
  ws.on('message', (err, value) => log.push(value));
  ws.on('dataEnd', () => {
    log.push('end');
    ws.off('dataEnd');
    ws.off('message');
    ws.send('unheard').then(() => ws.close());
  });
  ws.on('close', over.resolve);
  ws.on('open', () => ws.send('one'));
  await ws.connect(WS_URL);
  await over.promise;
  assert.deepStrictEqual(log, ['one', 'end']);
});
