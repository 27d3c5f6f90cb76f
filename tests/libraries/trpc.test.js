'use strict';

// @trpc/client's wsLink with @trpc/server on npm ws. The protocol has text only.

const { Queue, TEXT, assert, importFile, libraryTest, next, web } = require('./support.js');

libraryTest('@trpc/client, wsLink: a query, a subscription, the server lost and found, close', { server: 'trpc', needs: ['AbortController'] }, async ({ cleanup, host, lose, back }) => {
  const { createTRPCClient, createWSClient, wsLink } = await importFile('@trpc/client/dist/index.mjs');
  const socket = createWSClient({ url: `ws://${host}/`, retryDelayMs: () => 20 });
  cleanup(() => socket.close());
  const client = createTRPCClient({ links: [wsLink({ client: socket })] });

  assert.strictEqual(await client.echo.query(TEXT), TEXT);
  const first = socket.connection.ws;
  assert(first instanceof web.WebSocket, 'not our WebSocket');
  const numbers = new Queue();
  const subscription = client.count.subscribe(undefined, { onData: (number) => numbers.push(number) });
  for (const number of [1, 2, 3]) assert.strictEqual(await numbers.shift(), number);

  const lost = next((listener) => first.addEventListener('close', listener, { once: true }));
  await lose();
  assert.strictEqual((await lost)[0].code, 1006);
  await back();
  // The subscription restarts by itself.
  for (const number of [1, 2, 3]) assert.strictEqual(await numbers.shift(), number);
  assert.strictEqual(await client.echo.query('later'), 'later');
  subscription.unsubscribe();

  const closed = next((listener) => socket.connection.ws.addEventListener('close', listener, { once: true }));
  socket.close();
  assert.strictEqual((await closed)[0].wasClean, true);
});
