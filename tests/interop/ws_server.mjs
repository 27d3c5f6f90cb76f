// Echo servers on npm's ws, one for each choice of permessage-deflate; tests/interop/README.md has the protocol.
import { createRequire } from 'node:module';
import path from 'node:path';

// A module does not look into NODE_PATH by itself.
const { WebSocketServer } = createRequire(path.join(process.env.NODE_PATH, 'ws/'))('ws');

// By the id that a client gave: what its connection ended with, once it has.
const seen = new Map();
function record(id) {
  if (!seen.has(id)) {
    const entry = {};
    entry.text = new Promise((resolve) => { entry.resolve = resolve; });
    seen.set(id, entry);
  }
  return seen.get(id);
}

function echo(socket, data, binary) {
  if (data.length === 0 || data.length % 5 !== 0) return socket.send(data, { binary });
  // Cuts fall anywhere, inside characters too.
  const [a, b] = [data.length / 5, data.length / 2 | 0];
  socket.send(data.subarray(0, a), { binary, fin: false });
  socket.send(data.subarray(a, b), { binary, fin: false });
  socket.send(data.subarray(b), { binary, fin: true });
}

function serve(socket, request) {
  const { pathname, searchParams } = new URL(request.url, 'ws://h');
  const id = searchParams.get('id');
  let count = 0;
  socket.on('message', (data, binary) => { count += 1; echo(socket, data, binary); });
  socket.on('close', (code, reason) => record(id).resolve(`${code} ${count} ${reason}`));
  socket.on('error', (error) => console.error(`ws: ${error.message}`));
  if (pathname === '/close') {
    for (const text of ['one', 'two', 'three']) socket.send(text);
    const code = searchParams.get('code');
    if (code) socket.close(Number(code), searchParams.get('reason'));
    else socket.close();
  } else if (pathname === '/seen') {
    record(searchParams.get('of')).text.then((text) => socket.send(text));
  }
}

function listen(name, perMessageDeflate) {
  return new Promise((resolve) => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate, maxPayload: 2 ** 24 }, () => {
      console.log(`${name} ws://127.0.0.1:${server.address().port}`);
      resolve();
    });
    server.on('connection', serve);
  });
}

await listen('off', false);
for (const serverNoContextTakeover of [undefined, true]) {
  for (const clientNoContextTakeover of [undefined, true]) {
    for (const serverMaxWindowBits of [undefined, 9, 12, 15]) {
      for (const clientMaxWindowBits of [undefined, 9, 12, 15]) {
        const name = [Number(!!serverNoContextTakeover), Number(!!clientNoContextTakeover),
          serverMaxWindowBits ?? 0, clientMaxWindowBits ?? 0].join('-');
        await listen(name, {
          serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits, threshold: 0,
        });
      }
    }
  }
}
console.log('READY');
process.stdin.resume().on('end', () => process.exit());
