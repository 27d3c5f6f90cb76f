'use strict';

// What `close` and `error` say about an end: cause, phase, times.

const { assert, test } = require('./harness.js');
const { library, socketTest, unusedPort } = require('./support.js');

const { WS_URL } = process.env;

socketTest('the close event has the cause and the times', async (socket) => {
  const { Cause } = library;
  await socket.open(`${WS_URL}/close/1012/restart`);
  const restart = await socket.closed();
  assert.strictEqual(restart.cause, Cause.RESTART);
  assert(restart.idleTime >= 0 && restart.idleTime <= restart.elapsedTime, JSON.stringify(restart));
  assert.strictEqual(restart.unsent, 0);
  await socket.open(WS_URL);
  assert.strictEqual((await socket.shut()).cause, Cause.APPLICATION);
});

socketTest('the error event has the cause, the phase and the times', async (socket) => {
  const { Cause } = library;
  await socket.ws.connect(`${WS_URL}/status/503`);
  const refused = await socket.error();
  assert.deepStrictEqual([refused.cause, refused.phase], [Cause.HTTP_5XX, 'upgrade']);
  assert(refused.idleTime >= 0 && refused.idleTime <= refused.elapsedTime, JSON.stringify(refused));
  const port = await unusedPort();
  await socket.ws.connect(`ws://127.0.0.1:${port}`);
  const unreachable = await socket.error();
  assert.deepStrictEqual([unreachable.cause, unreachable.phase, unreachable.idleTime], [Cause.CONNECT, 'tcp', undefined]);
  await socket.open(`${WS_URL}/drop`);
  socket.ws.send('x').catch(() => {});
  const { error, result } = await socket.broken();
  assert.deepStrictEqual([error.cause, error.phase, result.cause], [Cause.LOST, 'open', Cause.LOST]);
});

test('Cause and TlsProtocol are enums, from name to number and back', () => {
  const causes = ['LOOKUP', 'CONNECT', 'TIMEOUT', 'TLS', 'CERTIFICATE', 'HTTP_4XX', 'HTTP_5XX', 'UPGRADE', 'LOST', 'PROTOCOL',
    'RESTART', 'CLOSED', 'APPLICATION', 'PREPARE', 'OPTIONS', 'INTERNAL', 'NO_ANSWER'];
  const protocols = ['TLS_V_1_0', 'TLS_V_1_1', 'TLS_V_1_2', 'TLS_V_1_3'];
  for (const [object, names, first] of [[library.Cause, causes, 1], [library.TlsProtocol, protocols, 0]]) {
    const numbers = names.map((name, index) => first + index);
    assert.deepStrictEqual(Object.keys(object), [...numbers.map(String), ...names]);
    assert.deepStrictEqual(names.map((name) => object[name]), numbers);
    assert.deepStrictEqual(numbers.map((number) => object[number]), names);
  }
});

test('Cause has the numbers of the C API', () => {
  const { LOOKUP, LOST, INTERNAL, NO_ANSWER } = library.Cause;
  assert.deepStrictEqual([LOOKUP, LOST, INTERNAL, NO_ANSWER], [1, 9, 16, 17]);
});
