'use strict';

// A WebSocket server of a few lines, which tells what it sees of each connection. Frames of clients up to 64 KiB only.

const crypto = require('node:crypto');
const net = require('node:net');

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Listens on a free port. `connected` is called with each connection that has been upgraded; `headers` are lines of the answer. */
function listen(connected, headers = '') {
  const server = net.createServer((socket) => serve(socket, connected, headers));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    resolve({ url: `ws://127.0.0.1:${port}/`, close: () => server.close() });
  }));
}

function serve(socket, connected, headers) {
  let buffer = Buffer.alloc(0);
  let connection;
  socket.on('error', () => {});
  socket.on('data', (data) => {
    buffer = Buffer.concat([buffer, data]);
    if (!connection) {
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = buffer.subarray(0, end).toString();
      const key = /^sec-websocket-key: *(.+)$/im.exec(head)[1].trim();
      buffer = buffer.subarray(end + 4);
      const accept = crypto.createHash('sha1').update(key + GUID).digest('base64');
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + `Sec-WebSocket-Accept: ${accept}\r\n${headers}\r\n`);
      connection = new Connection(socket, head.split(' ')[1]);
      connected(connection);
    }
    for (let frame = take(); frame; frame = take()) connection.frame(frame);
  });
  socket.on('close', () => connection?.ended());

  function take() {
    if (buffer.length < 6) return undefined;
    let [length, at] = [buffer[1] & 0x7f, 2];
    if (length === 126) {
      if (buffer.length < 8) return undefined;
      [length, at] = [buffer.readUInt16BE(2), 4];
    }
    if (buffer.length < at + 4 + length) return undefined;
    const mask = buffer.subarray(at, at + 4);
    const payload = Buffer.from(buffer.subarray(at + 4, at + 4 + length)).map((byte, index) => byte ^ mask[index % 4]);
    const opcode = buffer[0] & 0x0f;
    buffer = buffer.subarray(at + 4 + length);
    return { opcode, payload };
  }
}

class Connection {
  constructor(socket, path) {
    this.socket = socket;
    this.path = path;
    this.messages = [];
    /** The code of the client's close frame; undefined when the connection ended without one. */
    this.closed = new Promise((resolve) => (this.ended = resolve));
  }

  frame({ opcode, payload }) {
    if (opcode === 8) {
      this.ended(payload.length >= 2 ? payload.readUInt16BE(0) : 1005);
      this.socket.end(Buffer.concat([Buffer.from([0x88, payload.length]), payload]));
    } else if (opcode < 8) {
      this.messages.push(payload);
    }
  }

  text(text) {
    this.socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
  }
}

/** A server that gives the same answer to everyone, and collects the requests. */
async function answering({ cleanup }, answer) {
  const requests = [];
  const sockets = new Set();
  const listener = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (data) => {
      requests.push(String(data));
      socket.end(answer);
    });
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  cleanup(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = listener.address();
  return { requests, port, url: `ws://127.0.0.1:${port}/` };
}

/** A port on which nobody listens. Linux gives no port of this range away by itself, so no test that runs beside this one gets it. */
async function unusedPort() {
  const probe = net.createServer();
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const isFree = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    probe.removeAllListeners();
    if (isFree) {
      await new Promise((resolve) => probe.close(resolve));
      return port;
    }
  }
}

module.exports = { answering, listen, unusedPort };
