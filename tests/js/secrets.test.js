'use strict';

// No error text and no log line contains a secret of an application or a peer, whatever fails.

const { assert } = require('./harness.js');
const { answering } = require('./server.js');
const { connectFailure, failureOf, logOf, socketTest } = require('./support.js');

/** Part of all that is secret here. */
const MARK = 's3cr3t';

const { WS_URL } = process.env;

const options = (more = {}) => ({
  header: { Cookie: `session=${MARK}`, 'X-Api-Key': MARK },
  username: `user-${MARK}`,
  password: `password-${MARK}`,
  perMessageDeflate: false,
  maxRedirects: 1,
  proxy: 'no-proxy',
  ...more,
});

/** All of an error that is the library's: what the server said is the application's, in `response`. */
const textOf = ({ response, ...error }) => JSON.stringify(error);

const ANSWERS = [
  `HTTP/1.1 401 No\r\nSet-Cookie: a=${MARK}\r\nContent-Length: 6\r\n\r\n${MARK}`,
  `HTTP/1.1 403 No\r\nSec-WebSocket-Protocol: a b ${MARK}\r\n\r\n${MARK}`,
  `HTTP/1.1 302 Found\r\nLocation: ftp://u:${MARK}@h/?${MARK}\r\n\r\n`,
  `HTTP/1.1 302 Found\r\nLocation: ws://u:${MARK}@127.0.0.1:1/?${MARK}\r\n\r\n`,
  `HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nSet-Cookie: a=${MARK}\r\n\r\n`,
  `HTTP/1.1 101 Yes\r\nSet-Cookie ${MARK}\r\n\r\n`,
  '',
];
const FRAMES = ['c106733363723374', '8306733363723374', '880803ed733363723374'];

socketTest('no error text and no log line contains a secret', async (socket, context) => {
  const texts = [];
  const log = await logOf('debug', async () => {
    for (const answer of ANSWERS) {
      const { url } = await answering(context, answer);
      texts.push(textOf(await connectFailure(socket, `${url}room?token=${MARK}`, options())));
    }
    for (const answer of [`HTTP/1.1 502 No\r\nX-A: ${MARK}\r\n\r\n${MARK}`, `HTTP/1.1 200 ${MARK}\x01\r\n\r\n`]) {
      const { port } = await answering(context, answer);
      const proxy = { host: `alice:${MARK}@127.0.0.1`, port, exclusionList: [] };
      texts.push(textOf(await connectFailure(socket, `${WS_URL}/?token=${MARK}`, options({ proxy }))));
    }
    for (const frames of FRAMES) {
      await socket.ws.connect(`${WS_URL}/wire/8106733363723374${frames}?token=${MARK}`, options());
      await socket.ws.send(`message ${MARK}`).catch(() => {});
      const { error, result } = await socket.broken();
      texts.push(textOf(error), result.reason);
    }
    for (const [url, more] of [
      [`ws://u:${MARK}@h:99999/?${MARK}`, {}],
      [`ftp://u:${MARK}@h/?${MARK}`, {}],
      [WS_URL, { header: { 'X-A': [MARK] } }],
      [WS_URL, { header: { 'X-A': `${MARK}\r\n` } }],
      [WS_URL, { proxy: { host: `u:${MARK}@`, port: 1, exclusionList: [] } }],
      [WS_URL, { certificatePinning: { publicKeyHashAlgorithm: 'SHA-256', publicKeyHash: MARK } }],
    ]) {
      texts.push(textOf(await failureOf(() => socket.ws.connect(url, options(more)))));
    }
  });
  assert.strictEqual(texts.length, 21);
  for (const text of texts) assert(!text.includes(MARK), text);
  if (!log) return;
  assert(log.some((line) => line.includes('connecting to 127.0.0.1:')), log.join('\n'));
  for (const line of log) assert(!line.includes(MARK), line);
});
