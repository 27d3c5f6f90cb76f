'use strict';

// One flood into a slow listener, for flood.sh: node --expose-gc flood.js PATH COUNT SIZE [collect]
//
// Prints by how much the process grew. With `collect`, garbage is collected at every 4 MiB of messages, so that what is left is
// what somebody holds. Without it, V8 keeps 32 MiB of unused ArrayBuffers before it collects them (twice its largest
// semi-space).

const assert = require('node:assert');
const fs = require('node:fs');

const { load } = require('./load.js');

const LISTENER_MS = 1;
const COLLECT_BYTES = 4_194_304;
const AHEAD_BYTES_MAX = 2_097_152;
const GROWTH_BYTES_MAX = 32_000_000;
const SAMPLE_MESSAGES = 16;

const [path, countText, sizeText, collect] = process.argv.slice(2);
const [count, size] = [Number(countText), Number(sizeText)];

const resident = () => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;
const clock = new Int32Array(new SharedArrayBuffer(4));
const collectEach = Math.max(1, Math.floor(COLLECT_BYTES / size));
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

const ws = load().createWebSocket();
let [seen, ahead, before, most] = [0, 0, 0, 0];
const start = process.hrtime.bigint();

ws.on('error', ({ message }) => {
  throw new Error(message);
});
ws.on('open', () => {
  globalThis.gc();
  before = resident();
});
ws.on('message', (_, data) => {
  const index = typeof data === 'string' ? Number(data.slice(0, 8)) : new DataView(data).getUint32(0, true);
  assert.strictEqual(index, seen, 'a message was lost');
  assert.strictEqual(data.length ?? data.byteLength, size);
  seen += 1;
  ahead = Math.max(ahead, ws.stats().bytesReceived - seen * size);
  Atomics.wait(clock, 0, 0, LISTENER_MS);
  if (collect && seen % collectEach === 0) globalThis.gc({ type: 'minor' });
  if (seen % SAMPLE_MESSAGES === 0) most = Math.max(most, resident());
  if (seen === count) ws.close();
});
ws.on('close', (_, { code }) => {
  assert.strictEqual(code, 1000);
  assert.strictEqual(seen, count, 'messages were lost');
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  console.log(
    `${path} ${count} x ${size} bytes${collect ? ', garbage collected' : ''}: ${megabytes(count * size)} in ${seconds.toFixed(0)} s, ` +
      `memory grew by ${megabytes(most - before)}, read ahead ${megabytes(ahead)}`,
  );
  assert(ahead < AHEAD_BYTES_MAX + size, `${ahead} bytes were read ahead of the listener`);
  if (collect) assert(most - before < GROWTH_BYTES_MAX, `memory grew by more than ${megabytes(GROWTH_BYTES_MAX)}`);
});
// No pong is read while the flood stands before it: that must not be taken for a dead connection.
ws.connect(`${process.env.WS_URL}/${path}/${count}/${size}`, { pingInterval: 1, pongTimeout: 1 });
