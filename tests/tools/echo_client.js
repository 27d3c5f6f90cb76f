'use strict';

// Connects to each URL and sends text and binary messages of several sizes. Compares the echoes, and prints the times.
//
// usage: NET_WEBSOCKET_LIB=dist/…/libnet_websocket.so [CA_FILE=ca.pem] ENGINE tests/tools/echo_client.js URL…
// ENGINE is Node for a host build, or a musl build of Bun for an OpenHarmony one.

const { load } = require('../js/load.js');

const SIZES = [['1 B', 1], ['1 KiB', 1_024], ['64 KiB', 65_536], ['1 MiB', 1_048_576]];
const DEADLINE_MS = 60_000;

const { createWebSocket } = load();

function text(length) {
  return 'net_websocket '.repeat(Math.ceil(length / 14)).slice(0, length);
}

function binary(length) {
  return Uint8Array.from({ length }, (_, index) => index % 251).buffer;
}

function isSame(sent, received) {
  if (typeof sent === 'string') return sent === received;
  return received instanceof ArrayBuffer && Buffer.compare(Buffer.from(sent), Buffer.from(received)) === 0;
}

const milliseconds = (since) => `${(performance.now() - since).toFixed(2)} ms`;

/** A connection whose events can be awaited one at a time. */
function connection() {
  const ws = createWebSocket();
  const pending = {};
  const expect = (event) => new Promise((resolve, reject) => (pending[event] = { resolve, reject }));
  const settle = (event, value) => pending[event]?.resolve(value);
  ws.on('open', (err, result) => settle('open', result));
  ws.on('message', (err, data) => settle('message', data));
  ws.on('close', (err, result) => {
    settle('close', result);
    for (const { reject } of Object.values(pending)) reject(new Error(`closed by the server: ${result.code} ${result.reason}`));
  });
  ws.on('error', (err) => {
    for (const { reject } of Object.values(pending)) reject(err);
  });
  return { ws, expect };
}

async function visit(url) {
  const { ws, expect } = connection();
  console.log(url);
  let started = performance.now();
  const opened = expect('open');
  await ws.connect(url, { caPath: process.env.CA_FILE });
  const { status } = await opened;
  console.log(`  open           ${milliseconds(started).padStart(12)}  status ${status}`);

  for (const [kind, make] of [['text', text], ['binary', binary]]) {
    for (const [name, length] of SIZES) {
      const sent = make(length);
      const answer = expect('message');
      started = performance.now();
      await ws.send(sent);
      const same = isSame(sent, await answer);
      console.log(`  ${kind.padEnd(6)} ${name.padStart(7)} ${milliseconds(started).padStart(12)}  ${same ? 'same' : 'DIFFERENT'}`);
      if (!same) throw new Error(`${kind} of ${name} came back different`);
    }
  }

  started = performance.now();
  const closed = expect('close');
  await ws.close({ code: 1000, reason: 'done' });
  const { code, reason } = await closed;
  console.log(`  close          ${milliseconds(started).padStart(12)}  ${code} ${reason}`);
}

async function main(urls) {
  if (urls.length === 0) throw new Error('no URL given');
  for (const url of urls) await visit(url);
}

const deadline = setTimeout(() => {
  console.error(`echo_client: not done within ${DEADLINE_MS / 1000} s`);
  process.exit(1);
}, DEADLINE_MS);

main(process.argv.slice(2)).then(() => {
  clearTimeout(deadline);
}, (error) => {
  console.error(`echo_client: ${error.code ?? ''} ${error.message}`);
  process.exit(1);
});
