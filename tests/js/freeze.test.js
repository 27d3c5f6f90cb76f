'use strict';

// A process that stands still for longer than its deadlines, as an app freezer has it do.

const { spawn } = require('node:child_process');
const { once } = require('node:events');

const { assert } = require('./harness.js');
const { OTHER, assertError, socketTest } = require('./support.js');

const { WS_URL } = process.env;

const STANDSTILL_S = 4;
// In seconds, like the options: a ping each second, and a pong timeout of two.
const LIMITS = { pingInterval: 2, pongTimeout: 2, connectTimeout: 2000, closeTimeout: 2000 };
// What a busy machine or an emulator may add.
const SLACK_MS = 15_000;

/** Stops this process, including JavaScript, and resolves when it continues. The environment's libraries are not the shell's. */
async function standStill() {
  const script = `kill -STOP ${process.pid}; sleep ${STANDSTILL_S}; kill -CONT ${process.pid}`;
  const stopper = spawn('/bin/sh', ['-c', script], { env: { PATH: '/usr/bin:/bin' }, stdio: 'ignore' });
  const [status] = await once(stopper, 'exit');
  assert.strictEqual(status, 0);
}

/** Resolves when the library has sent a ping. */
const pinged = (ws) => new Promise((resolve) => {
  ws.on('frame', ({ direction, opcode }) => {
    if (direction === 'sent' && opcode === 9) {
      ws.off('frame');
      resolve();
    }
  });
});

socketTest('delivers what came while frozen, and keeps the connection', async (socket) => {
  const { ws } = socket;
  const ping = pinged(ws);
  // The server says something within the standstill, and answers the ping then.
  await socket.open(`${WS_URL}/later/3000`, LIMITS);
  await ping;
  await standStill();
  assert.strictEqual(await socket.message(), 'later');
  ws.send('x');
  assert.strictEqual(await socket.message(), 'x');
  await socket.shut();
});

socketTest('a lost server is detected within the timeout after a freeze', async (socket) => {
  const ping = pinged(socket.ws);
  await socket.open(`${WS_URL}/silent`, LIMITS);
  await ping;
  await standStill();
  const before = performance.now();
  const { error, result } = await socket.broken();
  assert(performance.now() - before < 2000 + SLACK_MS);
  assertError(error, OTHER, /2000 ms after a ping/);
  assert.strictEqual(result.code, 1006);
});

socketTest('an attempt and a close without an answer end within their timeouts after a freeze', async (socket) => {
  const { ws } = socket;
  assert.strictEqual(await ws.connect(`${WS_URL}/hang`, LIMITS), true);
  await standStill();
  let before = performance.now();
  assertError(await socket.error(), OTHER, /timed out/);
  assert(performance.now() - before < 2000 + SLACK_MS);

  await socket.open(`${WS_URL}/silent`, { ...LIMITS, pingInterval: 0 });
  assert.strictEqual(await ws.close(), true);
  await standStill();
  before = performance.now();
  const { code, reason } = await socket.closed();
  assert(performance.now() - before < 2000 + SLACK_MS);
  assert.strictEqual(code, 1006);
  assert.match(reason, /within 2000 ms/);
});
