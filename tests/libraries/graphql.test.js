'use strict';

// graphql-ws's client with its server on npm ws. The protocol has text only.

const { TEXT, assert, importFile, libraryTest, next, web } = require('./support.js');

libraryTest('graphql-ws: a query, a subscription, the server lost and found, close', { server: 'graphql-ws' }, async ({ cleanup, host, lose, back }) => {
  const { createClient } = await importFile('graphql-ws/dist/client.js');
  const sockets = [];
  const client = createClient({
    url: `ws://${host}/graphql`,
    lazy: false,
    retryAttempts: 1000,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
    shouldRetry: () => true,
    on: { opened: (socket) => sockets.push(socket) },
  });
  cleanup(() => client.dispose());

  const echo = async (text) => {
    const answers = client.iterate({ query: 'query ($text: String!) { echo(text: $text) }', variables: { text } });
    return (await answers.next()).value.data.echo;
  };
  assert.strictEqual(await echo(TEXT), TEXT);
  assert(sockets[0] instanceof web.WebSocket, 'not our WebSocket');
  assert.strictEqual(sockets[0].protocol, 'graphql-transport-ws');
  const counted = [];
  for await (const { data } of client.iterate({ query: 'subscription { count(to: 5) }' })) counted.push(data.count);
  assert.deepStrictEqual(counted, [1, 2, 3, 4, 5]);

  const lost = next((listener) => client.on('closed', listener));
  await lose();
  const [{ code, wasClean }] = await lost;
  assert.deepStrictEqual({ code, wasClean }, { code: 1006, wasClean: false });
  await back();
  assert.strictEqual(await echo('later'), 'later');
  assert.strictEqual(sockets.length, 2);

  const closed = next((listener) => sockets[1].addEventListener('close', listener, { once: true }));
  await client.dispose();
  const [event] = await closed;
  assert.deepStrictEqual({ code: event.code, wasClean: event.wasClean }, { code: 1000, wasClean: true });
});
