#!/usr/bin/env bash
# npm's http-proxy says `Transfer-Encoding: chunked` for a refused upgrade, but its body is not chunked.
#
# A good guess: a proxy passes the backend's refusal on, head and body. This one passes the chunked backend's head on
# with the decoded body, which no client can parse. Node's own answer to an upgrade without a handler is such a refusal.
# If the backend is down, the proxy ends TCP without an answer.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm http-proxy@1.18.1
cat >"$work/server.js" <<'JS'
const http = require('http');
const answer = (request, response) => {
  response.statusCode = 404;
  if (request.url === '/length') response.setHeader('Content-Length', 8);
  response.write('not ');
  response.end('here');
};
http.createServer(answer).listen(16911, '127.0.0.1', () => {
  const proxy = require('http-proxy').createProxyServer();
  proxy.on('error', () => {});  // Of /down.
  http.createServer().on('upgrade', (request, socket, head) => {
    proxy.ws(request, socket, head, { target: `http://127.0.0.1:${request.url === '/down' ? 16999 : 16911}` });
  }).listen(16912, '127.0.0.1');
});
JS
cat >"$work/client.js" <<'JS'
const http = require('http');
const headers = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': 13,
  'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};
const get = (port, path) => new Promise((done) => {
  http.get({ host: '127.0.0.1', port, path, headers }, (response) => {
    let body = '';
    response.on('data', (data) => { body += data; });
    response.on('end', () => done(`${response.statusCode} ${body}`));
    response.on('error', () => done('an error'));
  }).on('error', () => done('an error'));
});
(async () => {
  for (const path of ['/length', '/chunked']) {
    console.log(`Node's client, ${path} without the proxy: ${await get(16911, path)}`);
    console.log(`Node's client, ${path} by the proxy: ${await get(16912, path)}`);
  }
})();
JS
serve node server.js

cd "$work"
{
    python3 - <<'PY'
from raw import *

for name, port in (("without the proxy", 16911), ("by the proxy", 16912)):
    opened = Raw(port, "/chunked")
    while opened.more(1) == "":
        pass
    print(f"/chunked {name}: {opened.header('Transfer-Encoding')} {opened.received}")
print("/down by the proxy:", Raw(16912, "/down").head)
PY
    node client.js
} | compare "/chunked without the proxy: ['chunked'] b'4\r\nnot \r\n4\r\nhere\r\n0\r\n\r\n'
/chunked by the proxy: ['chunked'] b'not here'
/down by the proxy: '', then FIN
Node's client, /length without the proxy: 404 not here
Node's client, /length by the proxy: 404 not here
Node's client, /chunked without the proxy: 404 not here
Node's client, /chunked by the proxy: an error"
