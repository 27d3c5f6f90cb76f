'use strict';

// reconnecting-websocket and partysocket, which wrap the global WebSocket in one that connects again, with npm ws.

const { BYTES, Queue, TEXT, assert, assertBytes, isBare, libraryTest, next, requireFile, web } = require('./support.js');

const OPTIONS = { minReconnectionDelay: 10, maxReconnectionDelay: 50 };

const wrappers = {
  'reconnecting-websocket': () => requireFile('reconnecting-websocket/dist/reconnecting-websocket-cjs.js'),
  partysocket: () => requireFile('partysocket/dist/ws.cjs').default,
};

for (const [name, load] of Object.entries(wrappers)) {
  libraryTest(`${name}: text and binary, the server lost and found, close`, { server: 'ws' }, async ({ cleanup, host, lose, back }) => {
    const Wrapper = load();
    const socket = new Wrapper(`ws://${host}/`, [], OPTIONS);
    cleanup(() => socket.close());
    const messages = new Queue();
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => messages.push(data));
    const event = (type) => next((listener) => socket.addEventListener(type, listener, { once: true }));

    await event('open');
    assert(socket._ws instanceof web.WebSocket, 'not our WebSocket');
    socket.send(TEXT);
    assert.strictEqual(await messages.shift(), TEXT);
    socket.send(BYTES);
    assertBytes(await messages.shift(), BYTES);

    const lost = event('close');
    await lose();
    const [{ code }] = await lost;
    // The wrappers close at the event `error`, and report its code instead of the later 1006. partysocket copies its event,
    // outside Node, by a constructor that takes the type for the code.
    assert.strictEqual(code, isBare && name === 'partysocket' ? 'close' : 1000);
    // Kept by the wrapper until it has connected again.
    socket.send('later');
    await back();
    assert.strictEqual(await messages.shift(), 'later');
    assert(socket.retryCount >= 0 && socket.readyState === web.WebSocket.OPEN);

    const closed = event('close');
    socket.close(1000, 'done');
    await closed;
  });
}
