'use strict';

// A message of any length each way, piece by piece, for flood.sh: node --expose-gc stream.js BYTES. Prints by how much the process grew.
//
// The garbage is collected at every 4 MiB, so that what is left is what somebody holds; see flood.js.

const assert = require('node:assert');
const fs = require('node:fs');

const { load } = require('./load.js');

const PIECE_BYTES = 131_072;
const COLLECT_BYTES = 4_194_304;
const GROWTH_BYTES_MAX = 32_000_000;

const size = Number(process.argv[2]);
const ws = load().createWebSocket();
const collect = () => (globalThis.gc ?? globalThis.Bun.gc)({ type: 'minor' });
const resident = () => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;
const event = (type) => new Promise((resolve) => ws.on(type, (...data) => resolve(data)));

/** Runs `stream`, which calls its argument with the count of bytes of each piece. */
const measured = async (what, stream) => {
  // What an engine keeps for good, it has after the first pieces.
  let [bytes, collected, before, most] = [0, 0, undefined, 0];
  await stream((length) => {
    bytes += length;
    if (bytes < collected + COLLECT_BYTES && bytes < size) return;
    collected = bytes;
    collect();
    if (bytes >= size / 16) {
      before ??= resident();
      most = Math.max(most, resident());
    }
  });
  assert.strictEqual(bytes, size);
  console.log(`${size} bytes ${what}: memory grew by ${((most - before) / 1e6).toFixed(1)} MB`);
  assert(most - before < GROWTH_BYTES_MAX);
};

const sent = async (tell) => {
  const opened = event('open');
  await ws.connect(`${process.env.WS_URL}/sink`);
  await opened;
  const answer = event('message');
  const piece = new Uint8Array(PIECE_BYTES);
  for (let left = size; left > 0; left -= PIECE_BYTES) {
    const length = Math.min(left, PIECE_BYTES);
    await ws.sendPiece(piece.subarray(0, length), length === left);
    tell(length);
  }
  assert.strictEqual((await answer)[1], `sunk ${size}`);
  const closed = event('close');
  await ws.close();
  await closed;
};

const received = async (tell) => {
  const whole = new Promise((resolve) => {
    ws.on('piece', ({ data, last }) => {
      tell(data.byteLength);
      if (last) resolve();
    });
  });
  await ws.connect(`${process.env.WS_URL}/large/${size}`, { receivePieces: true, maxMessageSize: size });
  await whole;
  const closed = event('close');
  await ws.close();
  await closed;
};

measured('sent', sent).then(() => measured('received', received));
