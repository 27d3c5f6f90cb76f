'use strict';

// `close`, and connections that the server ends.

const { assert } = require('./harness.js');
const { OTHER, assertError, callbackOf, codeAndReason, failureOf, library, socketTest } = require('./support.js');
const { listen } = require('./server.js');

const { WS_URL } = process.env;

socketTest('closes with code and reason', async (socket) => {
  await socket.open(WS_URL);
  assert.strictEqual(await socket.ws.close({ code: 4000, reason: 'done 世界' }), true);
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 4000, reason: 'done 世界' });
});

socketTest('closes with the default code and reason of the system module', async (socket) => {
  await socket.open(WS_URL);
  assert.strictEqual(await socket.ws.close(), true);
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 1000, reason: 'CLOSE_NORMAL' });
});

socketTest('closes with a callback', async (socket) => {
  await socket.open(WS_URL);
  const { err, value } = await callbackOf((callback) => socket.ws.close(callback));
  assert.strictEqual(err, undefined);
  assert.strictEqual(value, true);
  assert.strictEqual((await socket.closed()).code, 1000);
});

socketTest('closes with options and a callback', async (socket) => {
  await socket.open(WS_URL);
  const { err, value } = await callbackOf((callback) => socket.ws.close({ code: 3001, reason: 'bye' }, callback));
  assert.strictEqual(err, undefined);
  assert.strictEqual(value, true);
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 3001, reason: 'bye' });
});

socketTest('reports how the server closed', async (socket) => {
  for (const [path, result] of [
    ['/close/4001/bye', { code: 4001, reason: 'bye' }],
    ['/close/1001', { code: 1001, reason: '' }],
    // A close frame without a code: 1005 by RFC 6455 section 7.1.5, 1000 on the platform.
    ['/close/0', { code: 1000, reason: '' }],
  ]) {
    await socket.open(WS_URL + path);
    assert.deepStrictEqual(codeAndReason(await socket.closed()), result);
  }
});

socketTest('reports a lost connection', async (socket) => {
  await socket.open(`${WS_URL}/drop`);
  await socket.ws.send('cut');
  const { error, result } = await socket.broken();
  if (error) assertError(error, OTHER);
  assert.strictEqual(result.code, 1006);
  const ended = socket.log.length;
  await socket.open(WS_URL);
  assert.deepStrictEqual(socket.log.slice(ended), ['headerReceive', 'open']);
  await socket.shut();
});

for (const [path, code] of [['/bad-frame', 1002], ['/bad-utf8', 1007]]) {
  socketTest(`ends a connection whose server violates the protocol with ${path}`, async (socket) => {
    await socket.open(WS_URL + path);
    const { error, result } = await socket.broken();
    assertError(error, OTHER);
    assert.strictEqual(result.code, code);
    assert(!socket.log.includes('message'), socket.log.join());
  });
}

for (const [answer, result] of [
  // What gevent-websocket 0.10.1 answers to a close with a reason: the code 25209.
  ['\x88\x05\x62\x79tea', { code: 4001, reason: 'bye' }],
  // What Werkzeug 3.1 answers to a close.
  ['HTTP/1.1 200 OK\r\n\r\n', { code: 1006, reason: /^no close frame came after ours \(4001\): / }],
]) {
  socketTest(`an answer to close that violates the protocol is not an error: ${JSON.stringify(answer)}`, async (socket, { cleanup }) => {
    const server = await listen((connection) => {
      connection.frame = () => connection.socket.end(Buffer.from(answer, 'latin1'));
    });
    cleanup(() => server.close());
    await socket.open(server.url);
    await socket.ws.close({ code: 4001, reason: 'bye' });
    const { error, result: { code, reason, cause } } = await socket.broken();
    assert.strictEqual(error, undefined);
    assert.strictEqual(code, result.code);
    if (result.reason instanceof RegExp) assert.match(reason, result.reason);
    else assert.strictEqual(reason, result.reason);
    assert.strictEqual(cause, library.Cause.APPLICATION);
  });
}

socketTest('closes with every code that an application may send', async (socket) => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]) {
    await socket.open(WS_URL);
    assert.strictEqual(await socket.ws.close({ code, reason: '' }), true);
    assert.deepStrictEqual(codeAndReason(await socket.closed()), { code, reason: '' });
  }
});

socketTest('cuts a long close reason between characters', async (socket) => {
  await socket.open(WS_URL);
  assert.strictEqual(await socket.ws.close({ code: 1000, reason: 'é'.repeat(62) }), true);
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 1000, reason: 'é'.repeat(61) });
});

socketTest('refuses send and close before connect', async (socket) => {
  assertError(await failureOf(() => socket.ws.send('too early')), OTHER);
  assertError(await failureOf(() => socket.ws.close()), OTHER);
  const sent = await callbackOf((callback) => socket.ws.send('too early', callback));
  assertError(sent.err, OTHER);
  assert.strictEqual(sent.value, undefined);
});

socketTest('refuses send after close', async (socket) => {
  await socket.open(WS_URL);
  await socket.shut();
  assertError(await failureOf(() => socket.ws.send('too late')), OTHER);
});
