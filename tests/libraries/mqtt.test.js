'use strict';

// MQTT.js's bundle for browsers, with aedes on npm ws and with Debian's mosquitto.

const { BYTES, Queue, TEXT, assert, assertBytes, exampleOf, importFile, libraryTest, next, web } = require('./support.js');

// The bundle looks at them while it is loaded; Node 20 has no navigator either.
const needs = ['navigator', 'AbortController', 'AbortSignal'];

for (const [server, protocolVersion] of [['aedes', 4], ['mosquitto', 5]]) {
  libraryTest(`mqtt, with ${server}: text and binary, the server lost and found, close`, { server, needs }, async ({ cleanup, host, lose, back }) => {
    const { default: mqtt } = await importFile('mqtt/dist/mqtt.esm.js');
    const client = mqtt.connect(`ws://${host}/`, { protocolVersion, reconnectPeriod: 50, forceNativeWebSocket: true });
    cleanup(() => client.end(true));
    const messages = new Queue();
    client.on('message', (_, payload) => messages.push(payload));
    client.on('error', () => {});

    await next((listener) => client.once('connect', listener));
    assert(client.stream.socket instanceof web.WebSocket, 'not our WebSocket');
    assert.strictEqual(client.stream.socket.protocol, 'mqtt');
    await client.subscribeAsync('topic', { qos: 1 });
    await client.publishAsync('topic', TEXT, { qos: 1 });
    assert.strictEqual((await messages.shift()).toString(), TEXT);
    await client.publishAsync('topic', BYTES, { qos: 1 });
    assertBytes(await messages.shift(), BYTES);

    const lost = next((listener) => client.once('close', listener));
    await lose();
    await lost;
    // It is delivered after the client has connected and subscribed again.
    const connected = next((listener) => client.once('connect', listener));
    await back();
    await connected;
    await client.subscribeAsync('topic', { qos: 1 });
    await client.publishAsync('topic', 'later', { qos: 1 });
    assert.strictEqual((await messages.shift()).toString(), 'later');

    const { socket } = client.stream;
    const closed = next((listener) => socket.addEventListener('close', listener, { once: true }));
    await client.endAsync();
    await closed;
  });
}

libraryTest('mqtt, as examples/libraries uses it', { server: 'aedes', needs }, async ({ cleanup, host, lose, back }) => {
  const library = { __esModule: true, ...(await importFile('mqtt/dist/mqtt.esm.js')) };
  const { Room } = exampleOf('room.ts', { './globals': {}, './lib/mqtt.esm.js': library });
  const [heard, told] = [new Queue(), new Queue()];
  const room = new Room(`ws://${host}/`, (text) => heard.push(text), (state) => told.push(state));
  cleanup(() => room.leave());
  assert.strictEqual(await told.shift(), 'connected');
  room.say(TEXT);
  assert.strictEqual(await heard.shift(), TEXT);
  await lose();
  assert.strictEqual(await told.shift(), 'not connected');
  await back();
  // Each attempt is reported to it.
  while ((await told.shift()) !== 'connected');
  room.say('later');
  assert.strictEqual(await heard.shift(), 'later');
  room.leave();
  assert.strictEqual(await told.shift(), 'not connected');
});
