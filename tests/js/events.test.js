'use strict';

// Events and their listeners: order, `on` and `off`, the newer method names, and the properties that follow them.

const { assert, test, uncaughtException } = require('./harness.js');
const { bytes, codeAndReason, library, socketTest } = require('./support.js');

const { WS_URL } = process.env;

socketTest('reports the events of a connection in order', async (socket) => {
  await socket.open(WS_URL);
  await socket.ws.send('a');
  await socket.message();
  await socket.ws.send(bytes(1));
  await socket.message();
  await socket.shut();
  assert.deepStrictEqual(socket.log, ['headerReceive', 'open', 'message', 'dataEnd', 'message', 'dataEnd', 'close']);
});

socketTest('gives the response headers once, in lower case, repeated ones as an array', async (socket) => {
  await socket.ws.connect(`${WS_URL}/headers`);
  const args = await socket.next('headerReceive');
  assert.strictEqual(args.length, 1);
  const [headers] = args;
  assert.strictEqual(headers['x-test'], 'one');
  assert.deepStrictEqual(headers['set-cookie'], ['a=1', 'b=2']);
  assert.strictEqual(headers.upgrade.toLowerCase(), 'websocket');
  for (const name of Object.keys(headers)) assert.strictEqual(name, name.toLowerCase());
  await socket.next('open');
  await socket.shut();
  assert.strictEqual(socket.log.filter((type) => type === 'headerReceive').length, 1);
});

socketTest('openInfo has the chosen sub-protocol', async (socket) => {
  const results = [];
  socket.ws.on('openInfo', (err, result) => results.push([err, result]));
  for (const [options, expected] of [[{ protocol: 'chat' }, 'chat'], [undefined, undefined]]) {
    const { status, message } = await socket.open(`${WS_URL}/protocol`, options);
    await socket.shut();
    const [err, info] = results.pop();
    assert.strictEqual(err, undefined);
    assert.strictEqual(info.protocol, expected);
    assert.strictEqual(info.status, status);
    assert.strictEqual(info.message, message);
    assert.strictEqual(results.length, 0);
  }
});

socketTest('a later listener replaces the earlier one', async (socket) => {
  const heard = [];
  socket.ws.on('message', (err, data) => heard.push(`replaced ${data}`));
  socket.ws.on('message', (...args) => {
    heard.push(args[1]);
    socket.record({ type: 'message', args });
  });
  await socket.open(WS_URL);
  await socket.ws.send('once');
  await socket.message();
  await socket.shut();
  assert.deepStrictEqual(heard, ['once']);
});

socketTest('removes a listener by type', async (socket) => {
  socket.ws.off('message');
  await socket.open(WS_URL);
  await socket.ws.send('unheard');
  // Its pong comes behind the message.
  await socket.ws.ping();
  await socket.shut();
  // As on the platform, without a message listener there is no dataEnd event.
  assert.deepStrictEqual(socket.log, ['headerReceive', 'open', 'close']);
});

socketTest('removes a listener only when the same function is given', async (socket) => {
  const heard = [];
  const listener = (err, data) => heard.push(data);
  socket.ws.on('message', listener);
  socket.ws.off('message', () => {});
  await socket.open(WS_URL);
  await socket.ws.send('heard');
  await socket.next('dataEnd');
  socket.ws.off('message', listener);
  await socket.ws.send('unheard');
  await socket.ws.ping();
  await socket.shut();
  assert.deepStrictEqual(heard, ['heard']);
});

socketTest('adds and removes listeners inside a listener', async (socket) => {
  const heard = [];
  socket.ws.on('message', (err, data) => {
    heard.push(`first ${data}`);
    socket.ws.off('message');
    socket.ws.on('message', (err, data) => heard.push(`second ${data}`));
  });
  await socket.open(WS_URL);
  for (const text of ['a', 'b']) {
    await socket.ws.send(text);
    await socket.next('dataEnd');
  }
  await socket.shut();
  assert.deepStrictEqual(heard, ['first a', 'second b']);
});

test('works without listeners for most events', async () => {
  const ws = library.createWebSocket();
  const closed = new Promise((resolve) => ws.on('close', (err, result) => resolve(result)));
  assert.strictEqual(await ws.connect(`${WS_URL}/close/4002/alone`), true);
  assert.deepStrictEqual(codeAndReason(await closed), { code: 4002, reason: 'alone' });
});

socketTest('continues after a listener has thrown', async (socket) => {
  const uncaught = uncaughtException();
  socket.ws.on('message', () => {
    socket.ws.on('message', (...args) => socket.record({ type: 'message', args }));
    throw new Error('thrown by the listener');
  });
  await socket.open(WS_URL);
  await socket.ws.send('one');
  assert.strictEqual((await uncaught).message, 'thrown by the listener');
  await socket.ws.send('two');
  assert.strictEqual(await socket.message(), 'two');
  await socket.shut();
  assert.deepStrictEqual(socket.log, ['headerReceive', 'open', 'dataEnd', 'message', 'dataEnd', 'close']);
});

const LISTENER_METHODS = {
  open: ['onOpen', 'offOpen'],
  message: ['onMessage', 'offMessage'],
  close: ['onWebSocketClose', 'offWebSocketClose'],
  error: ['onWebSocketError', 'offWebSocketError'],
  dataEnd: ['onDataEnd', 'offDataEnd'],
  headerReceive: ['onHeaderReceive', 'offHeaderReceive'],
};

test('onOpen and its like are the same listeners as on', async ({ cleanup }) => {
  const ws = library.createWebSocket();
  cleanup(() => ws.close().catch(() => {}));
  const seen = [];
  const done = new Promise((resolve) => {
    for (const [type, [on, off]] of Object.entries(LISTENER_METHODS)) {
      ws.on(type, () => seen.push(`replaced ${type}`));
      const removed = () => seen.push(`removed ${type}`);
      ws[on](removed);
      ws[off](() => {});
      ws[off](removed);
      ws[on](() => {
        seen.push(type);
        if (type === 'open') ws.send('x');
        if (type === 'dataEnd') ws.close();
        if (type === 'close') resolve();
      });
    }
  });
  await ws.connect(WS_URL);
  await done;
  assert.deepStrictEqual(seen, ['headerReceive', 'open', 'message', 'dataEnd', 'close']);
});

socketTest('readyState, url, protocol and extensions follow the connection', async (socket) => {
  const { ws } = socket;
  assert.deepStrictEqual([ws.readyState, ws.url, ws.protocol, ws.extensions, ws.bufferedAmount], [3, '', '', '', 0]);
  const url = `${WS_URL}/protocol`;
  const connecting = ws.connect(url, { protocol: 'one, two' });
  assert.strictEqual(ws.readyState, 0);
  await connecting;
  await socket.next('open');
  assert.deepStrictEqual([ws.readyState, ws.url, ws.protocol, ws.extensions], [1, url, 'one', '']);
  const closing = ws.close();
  assert(ws.readyState >= 2);
  await closing;
  await socket.closed();
  assert.strictEqual(ws.readyState, 3);
});
