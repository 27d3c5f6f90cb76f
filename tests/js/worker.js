'use strict';

// An environment with three connections, for tests/js/lifecycle.test.js. It says `ready` when they are open, or with the other
// module its own address.

const { parentPort, workerData } = require('node:worker_threads');

const { url, hang, mode, library, peer } = workerData;

function load(file) {
  const loaded = { exports: {} };
  process.dlopen(loaded, file);
  return loaded.exports;
}

const { createWebSocket } = load(library);

function connect() {
  const ws = createWebSocket();
  ws.on('message', () => {});
  return new Promise((resolve, reject) => {
    ws.on('open', () => resolve(ws));
    ws.on('error', reject);
    ws.connect(url);
  });
}

(async () => {
  const sockets = await Promise.all([connect(), connect(), connect()]);
  switch (mode) {
    case 'flooded':
      for (const ws of sockets) for (let index = 0; index < 100; index += 1) ws.send('x'.repeat(1000));
      break;
    case 'connecting':
      createWebSocket().connect(hang);
      break;
    case 'reading':
      for (const ws of sockets) ws.next();
      break;
    case 'closing':
      for (const ws of sockets) ws.close();
      break;
    default:
  }
  parentPort.postMessage(peer ? load(peer).environment() : 'ready');
  if (mode === 'closing') parentPort.unref?.();
})();
