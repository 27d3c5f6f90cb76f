'use strict';

// Whose authorities an app trusts: trust.js trusts|forbids. The app's package and a user's authority are on a simulated device,
// in the folder NET_WEBSOCKET_DEVICE_ROOT; what libnet_ssl.so tells comes from tests/stubs/net_ssl.c.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const trusts = process.argv[2] === 'trusts';
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'net_websocket-trust-'));
process.env.NET_WEBSOCKET_DEVICE_ROOT = root;
process.on('exit', () => fs.rmSync(root, { recursive: true }));

// A package with one file, stored as it is.
function archive(name, text) {
  const [nameBytes, data] = [Buffer.from(name), Buffer.from(text)];
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04', 'latin1');
  const entry = Buffer.alloc(46);
  entry.write('PK\x01\x02', 'latin1');
  for (const [header, at] of [[local, 18], [entry, 20]]) {
    header.writeUInt32LE(data.length, at);
    header.writeUInt32LE(data.length, at + 4);
    header.writeUInt16LE(nameBytes.length, at + 8);
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt32LE(46 + nameBytes.length, 12);
  end.writeUInt32LE(30 + nameBytes.length + data.length, 16);
  return Buffer.concat([local, nameBytes, data, entry, nameBytes, end]);
}

function install(file, contents) {
  const target = path.join(root, file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, contents);
}

const { WS_URL, WSS_URL, WSS_UNTRUSTED_URL, CA_FILE, SERVER_PIN } = process.env;
const authority = fs.readFileSync(path.join(path.dirname(CA_FILE), 'untrusted-ca.pem'));
install('data/certificates/user_cacerts/100/authority.pem', authority);
install('anchors/authority.pem', authority);
install('data/storage/el1/bundle/entry.hap',
  archive('resources/base/profile/network_config.json', JSON.stringify({ 'trust-current-user-ca': trusts })));

const { load } = require('./load.js');

// The text of the event `error`, or nothing when the connection opens.
async function attempt(url, options) {
  const ws = load().createWebSocket();
  const outcome = new Promise((resolve) => {
    ws.on('error', (error) => resolve(error.message));
    ws.on('open', () => resolve(''));
  });
  await ws.connect(url, options);
  const text = await outcome;
  if (text === '') {
    const closed = new Promise((resolve) => { ws.on('close', resolve); });
    await ws.close();
    await closed;
  }
  return text;
}

function declare(variables) {
  for (const name of ['HOST', 'PINS', 'ANCHORS', 'CLEARTEXT']) {
    delete process.env[`NWS_SSL_${name}`];
  }
  for (const [name, value] of Object.entries(variables)) {
    process.env[`NWS_SSL_${name}`] = value;
  }
}

async function main() {
  assert.strictEqual(await attempt(WSS_URL), '');
  if (trusts) {
    assert.strictEqual(await attempt(WSS_UNTRUSTED_URL), '');
  } else {
    assert.match(await attempt(WSS_UNTRUSTED_URL), /not in the trust store.*trustUserAuthorities/);
  }
  assert.strictEqual(await attempt(WSS_UNTRUSTED_URL, { trustUserAuthorities: true }), '');
  assert.match(await attempt(WSS_UNTRUSTED_URL, { trustUserAuthorities: false }), /trustUserAuthorities/);

  const strict = { networkSecurityConfig: 'strict', trustUserAuthorities: false };
  declare({ HOST: 'localhost', PINS: `sha256//${SERVER_PIN}` });
  assert.strictEqual(await attempt(WSS_URL, strict), '');
  declare({ HOST: 'localhost', PINS: 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' });
  assert.match(await attempt(WSS_URL, strict), /pinned by network_config\.json/);
  assert.strictEqual(await attempt(WSS_URL, { networkSecurityConfig: 'platform' }), '');
  declare({ HOST: 'localhost', ANCHORS: path.join(root, 'anchors') });
  assert.strictEqual(await attempt(WSS_UNTRUSTED_URL, strict), '');
  declare({ HOST: '127.0.0.1', CLEARTEXT: '0' });
  assert.match(await attempt(WS_URL, strict), /forbids connections without TLS.*use wss/);
  assert.strictEqual(await attempt(WS_URL), '');

  const ws = load().createWebSocket();
  for (const options of [{ networkSecurityConfig: 'lax' }, { networkSecurityConfig: true }, { trustUserAuthorities: 'yes' }]) {
    const [name] = Object.keys(options);
    await assert.rejects(ws.connect(WSS_URL, options), { code: 401, message: new RegExp(name) });
  }
}

main().then(() => console.log('1 passed, 0 failed'), (error) => {
  console.error(error);
  process.exitCode = 1;
});
