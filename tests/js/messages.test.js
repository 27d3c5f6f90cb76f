'use strict';

// Whole messages, both ways: text, binary, order, size.

const { assert, test } = require('./harness.js');
const { OTHER, Recorder, assertError, assertSameBytes, bytes, callbackOf, socketTest } = require('./support.js');

const { WS_URL, WSS_URL, CA_FILE } = process.env;

socketTest('echoes text', async (socket) => {
  await socket.open(WS_URL);
  for (const text of ['hello', 'héllo 世界 🦀', 'zero\0inside', '', ' '.repeat(70_000)]) {
    assert.strictEqual(await socket.ws.send(text), true);
    assert.strictEqual(await socket.message(), text);
  }
  await socket.shut();
});

socketTest('echoes binary', async (socket) => {
  await socket.open(WS_URL);
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 1_048_576]) {
    const data = bytes(length);
    assert.strictEqual(await socket.ws.send(data), true);
    assertSameBytes(await socket.message(), data);
  }
  await socket.shut();
});

socketTest('sends with a callback', async (socket) => {
  await socket.open(WS_URL);
  for (const data of ['text', bytes(10)]) {
    const { err, value } = await callbackOf((callback) => socket.ws.send(data, callback));
    assert.strictEqual(err, undefined);
    assert.strictEqual(value, true);
    const echo = await socket.message();
    if (typeof data === 'string') assert.strictEqual(echo, data);
    else assertSameBytes(echo, data);
  }
  await socket.shut();
});

socketTest('sends strings as text and buffers as binary', async (socket) => {
  await socket.open(`${WS_URL}/opcode`);
  await socket.ws.send('é');
  assert.strictEqual(await socket.message(), 'text 2');
  await socket.ws.send(bytes(3));
  assert.strictEqual(await socket.message(), 'binary 3');
  await socket.shut();
});

socketTest('sends what the buffer holds at the call', async (socket) => {
  await socket.open(WS_URL);
  const data = bytes(100_000);
  const sent = data.slice(0);
  const accepted = socket.ws.send(data);
  new Uint8Array(data).fill(255);
  await accepted;
  assertSameBytes(await socket.message(), sent);
  await socket.shut();
});

socketTest('sends the part of a buffer that a view shows', async (socket) => {
  await socket.open(WS_URL);
  const data = bytes(100);
  for (const view of [new Uint8Array(data, 10, 20), new Uint16Array(data, 10, 10), new Float64Array(data, 16, 0), new DataView(data, 7, 9)]) {
    await socket.ws.send(view);
    assertSameBytes(await socket.message(), data.slice(view.byteOffset, view.byteOffset + view.byteLength));
  }
  await socket.shut();
});

socketTest('turns a lone surrogate into the replacement character', async (socket) => {
  await socket.open(WS_URL);
  await socket.ws.send('a\ud800b');
  assert.match(await socket.message(), /^a\ufffd+b$/);
  await socket.shut();
});

socketTest('each message has its own buffer', async (socket) => {
  await socket.open(WS_URL);
  await socket.ws.send(bytes(8));
  await socket.ws.send(bytes(8));
  const first = await socket.message();
  new Uint8Array(first).fill(9);
  assertSameBytes(await socket.message(), bytes(8));
  await socket.shut();
});

socketTest('delivers messages sent while connecting', async (socket) => {
  const connected = socket.ws.connect(WS_URL);
  const sent = [socket.ws.send('one'), socket.ws.send('two')];
  assert.strictEqual(await connected, true);
  assert.deepStrictEqual(await Promise.all(sent), [true, true]);
  assert.strictEqual(await socket.message(), 'one');
  assert.strictEqual(await socket.message(), 'two');
  assert.deepStrictEqual(socket.log.slice(0, 3), ['headerReceive', 'open', 'message']);
  await socket.shut();
});

socketTest('delivers messages sent right before close', async (socket) => {
  await socket.open(WS_URL);
  const last = [socket.ws.send('last'), socket.ws.send('words'), socket.ws.close()];
  assert.deepStrictEqual(await Promise.all(last), [true, true, true]);
  assert.strictEqual(await socket.message(), 'last');
  assert.strictEqual(await socket.message(), 'words');
  assert.strictEqual((await socket.closed()).code, 1000);
});

socketTest('receives compressed messages that end with a final block', async (socket) => {
  // "a" and "b", each in a final block, a message without any block, and "c" in one that is not final.
  await socket.open(`${WS_URL}/deflated/c1034b0400c1034b0200c100c1034a0600`);
  for (const text of ['a', 'b', '', 'c']) assert.strictEqual(await socket.message(), text);
  await socket.shut();
});

// Parts of "a" in a block that is not final, which is 4a 04 00.
for (const cut of ['c1014a', 'c1024a04']) {
  socketTest(`refuses a truncated compressed message: ${cut}`, async (socket) => {
    await socket.open(`${WS_URL}/deflated/${cut}`);
    const { error, result } = await socket.broken();
    assertError(error, OTHER, /compressed message/);
    assert.strictEqual(result.code, 1007);
    assert(!socket.log.includes('message'), socket.log.join());
  });
}

socketTest('receives many messages in order', async (socket) => {
  const count = 10_000;
  await socket.open(`${WS_URL}/flood/${count}/32`);
  for (let index = 0; index < count; index += 1) {
    const data = await socket.message();
    assert.strictEqual(data.byteLength, 32);
    assert.strictEqual(new DataView(data).getUint32(0, true), index);
  }
  await socket.shut();
});

socketTest('sends many messages in order', async (socket) => {
  const count = 5_000;
  await socket.open(WS_URL);
  const sent = [];
  for (let index = 0; index < count; index += 1) sent.push(socket.ws.send(`message ${index}`));
  await Promise.all(sent);
  for (let index = 0; index < count; index += 1) assert.strictEqual(await socket.message(), `message ${index}`);
  await socket.shut();
});

socketTest('receives a large message', async (socket) => {
  await socket.open(`${WS_URL}/large/5000000`);
  assertSameBytes(await socket.message(), bytes(5_000_000));
  await socket.shut();
});

test('serves 20 sockets at once', async (context) => {
  await Promise.all(Array.from({ length: 20 }, async (_, index) => {
    const socket = new Recorder(context);
    await socket.open(index % 2 ? WSS_URL : WS_URL, { caPath: CA_FILE });
    for (let round = 0; round < 10; round += 1) {
      await socket.ws.send(`${index}/${round}`);
      assert.strictEqual(await socket.message(), `${index}/${round}`);
    }
    await socket.shut();
  }));
});
