'use strict';

// TLS: which servers are trusted, and what is shown to them.

const fs = require('node:fs');
const path = require('node:path');

const { assert, test } = require('./harness.js');
const { CERTIFICATE_FILE, OTHER, PARAMETER, assertError, connectFailure, failureOf, library, socketTest } = require('./support.js');

const {
  WSS_URL, WSS_V1_URL, WSS_UNTRUSTED_URL, WSS_MUTUAL_URL, WSS_TLS12_URL, WSS_WRONG_NAME_URL, CA_FILE, CLIENT_CERT_FILE, CLIENT_KEY_FILE,
  LOCKED_CERT_FILE, LOCKED_KEY_FILE, OTHER_CERT_FILE, SERVER_PIN,
} = process.env;

socketTest('connects over TLS with a CA file', async (socket) => {
  await socket.open(WSS_URL, { caPath: CA_FILE });
  await socket.ws.send('secret');
  assert.strictEqual(await socket.message(), 'secret');
  await socket.shut();
});

socketTest('refuses a certificate of an unknown CA', async (socket) => {
  const error = await connectFailure(socket, WSS_UNTRUSTED_URL, { caPath: CA_FILE });
  assertError(error, error.code, /TLS|certificate/i);
  assert.deepStrictEqual(socket.log, ['error']);
});

socketTest('accepts any certificate when verification is skipped', async (socket) => {
  await socket.open(WSS_UNTRUSTED_URL, { skipServerCertVerification: true });
  await socket.ws.send('trusting');
  assert.strictEqual(await socket.message(), 'trusting');
  await socket.shut();
});

socketTest('accepts a certificate of X.509 version 1 when verification is skipped', async (socket) => {
  const error = await connectFailure(socket, WSS_V1_URL, { caPath: CA_FILE });
  assertError(error, error.code, /version 3.*skipServerCertVerification/);
  socket.log.length = 0;
  await socket.open(WSS_V1_URL, { skipServerCertVerification: true });
  await socket.shut();
});

socketTest('refuses a CA file that is missing or holds no certificate', async (socket) => {
  for (const caPath of [`${CA_FILE}.missing`, __filename]) {
    assertError(await connectFailure(socket, WSS_URL, { caPath }), CERTIFICATE_FILE);
  }
});

socketTest('presents a client certificate to a server that requires one', async (socket) => {
  const clientCert = { certPath: CLIENT_CERT_FILE, keyPath: CLIENT_KEY_FILE };
  await socket.open(WSS_MUTUAL_URL, { caPath: CA_FILE, clientCert });
  await socket.shut();
  await socket.ws.connect(WSS_MUTUAL_URL, { caPath: CA_FILE });
  assertError(await socket.error(), OTHER, /^TLS handshake with localhost:.* requires a client certificate/);
  const missing = { certPath: CLIENT_CERT_FILE, keyPath: '/nonexistent/client.key' };
  const error = await connectFailure(socket, WSS_MUTUAL_URL, { caPath: CA_FILE, clientCert: missing });
  assertError(error, CERTIFICATE_FILE, /client\.key/);
  for (const [wrong, name] of [
    [{ certPath: CLIENT_CERT_FILE }, 'keyPath'], [{ keyPath: 'x' }, 'certPath'], [{ certPath: 1, keyPath: 'x' }, 'certPath'],
  ]) {
    const refused = await failureOf(() => socket.ws.connect(WSS_MUTUAL_URL, { clientCert: wrong }));
    assertError(refused, PARAMETER, new RegExp(`^clientCert\\.${name}: `));
  }
});

socketTest('opens a client key by its password', async (socket) => {
  const clientCert = { certPath: LOCKED_CERT_FILE, keyPath: LOCKED_KEY_FILE };
  for (const [keyPassword, text] of [[undefined, 'no password is set'], ['', 'no password is set'], ['battery staple', 'is wrong']]) {
    const options = { caPath: CA_FILE, clientCert: { ...clientCert, keyPassword } };
    const error = await connectFailure(socket, WSS_MUTUAL_URL, options);
    assertError(error, CERTIFICATE_FILE);
    assert(error.message.includes(LOCKED_KEY_FILE) && error.message.includes(text), error.message);
    assert(!error.message.includes('staple'));
  }
  await socket.open(WSS_MUTUAL_URL, { caPath: CA_FILE, clientCert: { ...clientCert, keyPassword: 'correct horse' } });
  await socket.shut();
});

socketTest('no text contains a byte of a key', async (socket) => {
  const lines = fs.readFileSync(CLIENT_KEY_FILE, 'utf8').trim().split('\n');
  const body = lines.slice(1, -1).join('');
  const keyPath = path.join(path.dirname(CA_FILE), `damaged-${process.pid}.key`);
  const options = (key) => ({ caPath: CA_FILE, clientCert: { certPath: CLIENT_CERT_FILE, keyPath: key } });
  try {
    // A key that has lost its line ends is as good as any.
    for (const lineEnd of ['', ' ', '\r\n']) {
      fs.writeFileSync(keyPath, lines.join(lineEnd));
      await socket.open(WSS_MUTUAL_URL, options(keyPath));
      await socket.shut();
    }
    for (const [file, text] of [
      [lines.join('\\n'), 'a backslash and a letter'], [lines[0] + body, '-----END'], [lines.join('').replace('-----', '----'), 'no private key'],
      [lines.join('\n').replace(body.slice(0, 8), '!'), 'base64'], [`-----BEGIN ${body}`, '-----BEGIN'],
    ]) {
      fs.writeFileSync(keyPath, file);
      // What is in a file, as the path to it.
      for (const [key, part] of [[keyPath, text], [file, 'not shown'], [body, 'not shown']]) {
        const error = await connectFailure(socket, WSS_MUTUAL_URL, options(key));
        assertError(error, CERTIFICATE_FILE);
        assert(error.message.includes(part), error.message);
        for (let at = 0; at + 12 <= body.length; at += 1) assert(!error.message.includes(body.slice(at, at + 12)), error.message);
        assert(!error.message.includes('77, 73, 71'), error.message);
      }
    }
  } finally {
    fs.rmSync(keyPath);
  }
});

socketTest('requires a pinned key', async (socket) => {
  const hashAlgorithm = 'SHA-256';
  const right = { publicKeyHash: SERVER_PIN, hashAlgorithm };
  const wrong = { publicKeyHash: Buffer.alloc(32).toString('base64'), hashAlgorithm };
  const error = await connectFailure(socket, WSS_URL, { caPath: CA_FILE, certificatePinning: wrong });
  assertError(error, OTHER, /^TLS handshake/);
  assert(error.message.includes(SERVER_PIN), error.message);
  for (const certificatePinning of [right, [wrong, right], { ...wrong, expires: 0 }, [], { ...right, expires: Date.now() + 3_600_000 }]) {
    await socket.open(WSS_URL, { caPath: CA_FILE, certificatePinning });
    await socket.shut();
  }
  await socket.open(WSS_URL, { skipServerCertVerification: true, certificatePinning: right });
  await socket.shut();
  for (const certificatePinning of [wrong, { ...right, expires: Date.now() - 1_000 }]) {
    assertError(await connectFailure(socket, WSS_URL, { skipServerCertVerification: true, certificatePinning }), OTHER, /certificatePinning/);
  }
  for (const [bad, field] of [
    [{ hashAlgorithm }, 'publicKeyHash'], [{ ...right, publicKeyHash: 'YWJj' }, 'publicKeyHash'], [{ ...right, hashAlgorithm: 'SHA-1' }, 'hashAlgorithm'],
    [{ ...right, expires: 'soon' }, 'expires'], [[right, { ...right, expires: -1 }], 'expires'], [{ ...right, more: 1 }, 'more'],
  ]) {
    const refused = await failureOf(() => socket.ws.connect(WSS_URL, { certificatePinning: bad }));
    assertError(refused, PARAMETER, new RegExp(`^certificatePinning\\.${field}: `));
  }
  assertError(await failureOf(() => socket.ws.connect(WSS_URL, { certificatePinning: [right, 'x'] })), PARAMETER, /^certificatePinning: /);
});

socketTest('verifies the name of tlsServerName', async (socket) => {
  assertError(await connectFailure(socket, WSS_WRONG_NAME_URL, { caPath: CA_FILE }), OTHER, /is for example\.invalid, not for localhost/);
  await socket.open(WSS_WRONG_NAME_URL, { caPath: CA_FILE, tlsServerName: 'example.invalid' });
  await socket.shut();
  assertError(await failureOf(() => socket.ws.connect(WSS_URL, { tlsServerName: 'a b' })), PARAMETER, /^tlsServerName: /);
});

socketTest('offers protocols by ALPN', async (socket) => {
  for (const alpnProtocols of [[], ['x-test', 'http/1.1']]) {
    await socket.open(WSS_URL, { caPath: CA_FILE, alpnProtocols });
    await socket.shut();
  }
  for (const alpnProtocols of ['http/1.1', [1], ['h2'], [''], ['a', 'a']]) {
    assertError(await failureOf(() => socket.ws.connect(WSS_URL, { alpnProtocols })), PARAMETER, /^alpnProtocols: /);
  }
});

socketTest('accepts a folder of authorities, alone or with those of the system', async (socket) => {
  const folder = path.join(path.dirname(CA_FILE), `authorities-${process.pid}`);
  fs.mkdirSync(folder);
  try {
    fs.copyFileSync(OTHER_CERT_FILE, path.join(folder, 'other.pem'));
    assertError(await connectFailure(socket, WSS_URL, { caPath: folder, caPathAddsToSystem: true }), OTHER, /trust store/);
    fs.copyFileSync(CA_FILE, path.join(folder, 'ca.pem'));
    for (const caPathAddsToSystem of [false, true]) {
      await socket.open(WSS_URL, { caPath: folder, caPathAddsToSystem });
      await socket.shut();
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

socketTest('refuses TLS below minSupportTlsProtocol', async (socket) => {
  const { TLS_V_1_2, TLS_V_1_3 } = library.TlsProtocol;
  await socket.open(WSS_TLS12_URL, { caPath: CA_FILE, minSupportTlsProtocol: TLS_V_1_2 });
  await socket.shut();
  await socket.ws.connect(WSS_TLS12_URL, { caPath: CA_FILE, minSupportTlsProtocol: TLS_V_1_3 });
  assertError(await socket.error(), OTHER, /TLS handshake/);
  await socket.open(WSS_URL, { caPath: CA_FILE, minSupportTlsProtocol: TLS_V_1_3 });
  await socket.shut();
});

test('TlsProtocol has the numbers of the platform', () => {
  const { TLS_V_1_0, TLS_V_1_1, TLS_V_1_2, TLS_V_1_3 } = library.TlsProtocol;
  assert.deepStrictEqual([TLS_V_1_0, TLS_V_1_1, TLS_V_1_2, TLS_V_1_3], [0, 1, 2, 3]);
});
