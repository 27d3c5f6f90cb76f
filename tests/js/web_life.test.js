'use strict';

// What becomes of sockets of the web when their objects are collected and when environments end; and an engine without the web's classes.

const { Worker } = require('node:worker_threads');

const { collect, collectUntil, observed, turn } = require('./collecting.js');
const { assert, test } = require('./harness.js');
const { library, unusedPort } = require('./support.js');

const { WS_URL, NET_WEBSOCKET_LIB } = process.env;
const { WebSocket } = library.web;

/** A listener that resolves a promise, and refers to nothing else. */
function listener() {
  let listen;
  const heard = new Promise((resolve) => (listen = (event) => resolve(event.data ?? event.code ?? event.type)));
  return { listen, heard };
}

/** Makes a socket that only its listeners are left of. */
function connectAndForget(url, listeners) {
  const ws = new WebSocket(url);
  for (const [type, each] of Object.entries(listeners)) ws.addEventListener(type, each);
}

test('web: a socket lives while a listener can be called', async (context) => {
  const server = await observed(context);
  const connection = server.next();
  const [open, message, close] = [listener(), listener(), listener()];
  connectAndForget(server.url, { open: open.listen, message: message.listen, close: close.listen });
  for (let times = 0; times < 5; times += 1) {
    collect();
    await turn();
  }
  await open.heard;
  const peer = await connection;
  collect();
  peer.text('still there');
  assert.strictEqual(await message.heard, 'still there');
  collect();
  await turn();
  collect();
  peer.socket.destroy();
  assert.strictEqual(await close.heard, 1006);
});

test('web: a socket without listeners is closed when it is collected', async (context) => {
  const server = await observed(context);
  for (const listeners of [{}, { open: 1 }]) {
    const connection = server.next();
    const open = listener();
    if (listeners.open) listeners.open = open.listen;
    connectAndForget(server.url, listeners);
    if (listeners.open) await open.heard;
    const peer = await connection;
    let code;
    peer.closed.then((value) => (code = value ?? 'no close frame'));
    await collectUntil(() => code !== undefined);
    // Without a listener it may be collected before it is open.
    assert(code === 1001 || (!listeners.open && code === 'no close frame'), code);
  }
});

test('web: dropped sockets are collected', async () => {
  const url = `ws://127.0.0.1:${await unusedPort()}/`;
  let finalized = 0;
  const registry = new FinalizationRegistry(() => (finalized += 1));
  const count = 1000;
  await new Promise((resolve) => {
    let left = count;
    const ended = () => (left -= 1) === 0 && resolve();
    for (let index = 0; index < count; index += 1) {
      const ws = new WebSocket(url);
      registry.register(ws, index);
      // Those with a listener live until it was called, the others need not.
      if (index % 2) ws.onclose = ended;
      else ended();
    }
  });
  // A stack that is searched for addresses may seem to hold a few.
  await collectUntil(() => finalized >= count * 0.99);
});

test('web: an environment ends with sockets in any state', async () => {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const loaded = { exports: {} };
    process.dlopen(loaded, workerData.library);
    const { WebSocket } = loaded.exports.web;
    const sockets = Array.from({ length: 4 }, () => new WebSocket(workerData.url));
    let open = 0;
    for (const ws of sockets) {
      ws.onmessage = () => {};
      ws.onopen = () => {
        for (let index = 0; index < 50; index += 1) ws.send('x'.repeat(1000));
        if (++open < sockets.length) return;
        sockets[0].close();
        new WebSocket(workerData.url).onclose = () => {};
        parentPort.postMessage('ready');
      };
    }`;
  const worker = new Worker(source, { eval: true, workerData: { url: WS_URL, library: require('node:path').resolve(NET_WEBSOCKET_LIB) } });
  const message = await new Promise((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
  });
  assert.strictEqual(message, 'ready');
  await worker.terminate();
});

test('web: an engine without the web\'s classes gets those of the library', async () => {
  const worker = new Worker(require.resolve('./web_bare.js'), { workerData: { url: WS_URL, library: require('node:path').resolve(NET_WEBSOCKET_LIB) } });
  const result = await new Promise((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
  });
  await worker.terminate();
  assert.strictEqual(result, 'passed');
});
