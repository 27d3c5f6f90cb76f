'use strict';

// An app's own class with options of this library, passed to each library as docs/arkts/libraries.md describes.

const { TEXT, assert, importFile, libraryTest, next, requireFile, web } = require('./support.js');

/** A class that sends a header, and how often it was made. */
function ownClass() {
  let made = 0;
  class WithToken extends web.WebSocket {
    constructor(url, protocols) {
      made += 1;
      super(url, protocols, { header: { 'X-Token': 'secret' } });
    }
  }
  return { WithToken, made: () => made };
}

/** A test in which `use` connects once by the class, and resolves with what ends that. */
function ownClassTest(library, server, needs, use) {
  libraryTest(`${library}: a class of the app's own`, { server, needs, global: false }, async ({ cleanup, host }) => {
    const { WithToken, made } = ownClass();
    const end = await use({ WithToken, host, cleanup });
    assert.strictEqual(made(), 1);
    await end();
  });
}

ownClassTest('reconnecting-websocket', 'ws', [], async ({ WithToken, host }) => {
  const Wrapper = requireFile('reconnecting-websocket/dist/reconnecting-websocket-cjs.js');
  const socket = new Wrapper(`ws://${host}/`, [], { WebSocket: WithToken });
  await next((listener) => socket.addEventListener('open', listener));
  return () => socket.close();
});

ownClassTest('partysocket', 'ws', [], async ({ WithToken, host }) => {
  const { default: Wrapper } = requireFile('partysocket/dist/ws.cjs');
  const socket = new Wrapper(`ws://${host}/`, [], { WebSocket: WithToken });
  await next((listener) => socket.addEventListener('open', listener));
  return () => socket.close();
});

ownClassTest('mqtt', 'aedes', ['navigator', 'AbortController', 'AbortSignal'], async ({ WithToken, host }) => {
  const { default: mqtt } = await importFile('mqtt/dist/mqtt.esm.js');
  const createWebsocket = (url, protocols) => new WithToken(url, protocols);
  const client = mqtt.connect(`ws://${host}/`, { forceNativeWebSocket: true, createWebsocket });
  await next((listener) => client.once('connect', listener));
  return () => client.endAsync();
});

ownClassTest('graphql-ws', 'graphql-ws', [], async ({ WithToken, host }) => {
  const { createClient } = await importFile('graphql-ws/dist/client.js');
  const client = createClient({ url: `ws://${host}/graphql`, lazy: false, webSocketImpl: WithToken });
  await next((listener) => client.on('connected', listener));
  return () => client.dispose();
});

ownClassTest('@stomp/stompjs', 'stomp', ['TextEncoder', 'TextDecoder'], async ({ WithToken, host }) => {
  const { Client } = await importFile('@stomp/stompjs/esm6/index.js');
  const webSocketFactory = () => new WithToken(`ws://${host}/stomp`, ['v12.stomp']);
  const client = new Client({ webSocketFactory, heartbeatIncoming: 0, heartbeatOutgoing: 0 });
  const connected = next((listener) => (client.onConnect = listener));
  client.activate();
  await connected;
  return () => client.deactivate();
});

ownClassTest('@trpc/client', 'trpc', ['AbortController'], async ({ WithToken, host }) => {
  const { createTRPCClient, createWSClient, wsLink } = await importFile('@trpc/client/dist/index.mjs');
  const socket = createWSClient({ url: `ws://${host}/`, WebSocket: WithToken });
  const client = createTRPCClient({ links: [wsLink({ client: socket })] });
  assert.strictEqual(await client.echo.query(TEXT), TEXT);
  return () => socket.close();
});
