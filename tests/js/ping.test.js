'use strict';

// `ping` and the event `pong`.

const { assert } = require('./harness.js');
const { OTHER, PARAMETER, assertError, failureOf, socketTest } = require('./support.js');

const { WS_URL } = process.env;

socketTest('ping resolves with the round trip, and the pong event has it', async (socket) => {
  const { ws } = socket;
  const pongs = [];
  ws.on('pong', (...args) => pongs.push(args));
  assertError(await failureOf(() => ws.ping()), OTHER, /not connected/);
  await socket.open(WS_URL);
  for (const data of [undefined, 'text', new Uint8Array([1, 2, 3]), new ArrayBuffer(0)]) {
    const time = await ws.ping(data);
    assert(typeof time === 'number' && time > 0 && time < 60_000, `${time}`);
  }
  assert.strictEqual(pongs.length, 4);
  const [{ data, roundTrip }] = pongs[2];
  assert.deepStrictEqual([...new Uint8Array(data)], [1, 2, 3]);
  assert(roundTrip > 0);
  const many = await Promise.all(Array.from({ length: 10 }, () => ws.ping()));
  assert.strictEqual(many.filter((time) => time > 0).length, 10);
  assertError(await failureOf(() => ws.ping('x'.repeat(126))), PARAMETER, /^data/);
  assertError(await failureOf(() => ws.ping(5)), PARAMETER, /^data/);
  await socket.shut();
});

socketTest('unanswered pings reject when the connection ends', async (socket) => {
  const { ws } = socket;
  await socket.open(`${WS_URL}/drop`);
  // The server cuts the connection at the first message, which goes out behind the ping.
  const ping = ws.ping();
  ws.send('cut', () => {});
  const outcome = await ping.then(() => undefined, (error) => error);
  if (outcome) assertError(outcome, OTHER, /^ping: the connection ended/);
  await socket.broken();
});
