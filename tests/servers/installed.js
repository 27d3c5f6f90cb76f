'use strict';

// Where scripts/setup.sh has put the servers, and their versions. NWS_SERVERS is that folder.

const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');

const BUN = process.env.NWS_BUN;
if (!process.env.NWS_SERVERS || !BUN) throw new Error('NWS_SERVERS and NWS_BUN are not set; run this through tests/servers/run.sh');

// Those of --all are in a folder of their own.
const ROOTS = [process.env.NWS_SERVERS, process.env.NWS_SERVERS_LONG].filter((folder) => folder && fs.existsSync(folder));
const [ROOT] = ROOTS;

/** The folders of that name below the roots, as a search path. */
const paths = (...names) => ROOTS.flatMap((root) => names.map((name) => path.join(root, name))).join(':');

/** What the commands of the catalog are made of. */
function environment() {
  const ruby = ['lib/ruby/vendor_ruby', 'lib/ruby/3.1.0', 'lib/x86_64-linux-gnu/ruby/3.1.0', 'lib/x86_64-linux-gnu/ruby/vendor_ruby/3.1.0'];
  const last = path.join(ROOTS.at(-1), 'debian/usr');
  const env = {
    ...process.env,
    PATH: `${paths('debian/usr/sbin', 'debian/usr/bin')}:${process.env.PATH}:/usr/sbin`,
    LD_LIBRARY_PATH: paths('debian/usr/lib/x86_64-linux-gnu', 'debian/lib/x86_64-linux-gnu', 'debian/usr/lib/x86_64-linux-gnu/varnish'),
    LUA_PATH_5_4: `${last}/share/lua/5.4/?.lua;${last}/share/lua/5.1/?.lua`,
    LUA_CPATH_5_4: `${last}/lib/x86_64-linux-gnu/lua/5.4/?.so`,
    NODE_PATH: paths('node_modules'),
    PYTHONPATH: `${paths('python')}:${path.join(__dirname, 'peers')}:${paths('debian/usr/lib/python3/dist-packages')}`,
    PYTHONDONTWRITEBYTECODE: '1',
    PERL5LIB: paths('debian/usr/share/perl5', 'debian/usr/lib/x86_64-linux-gnu/perl5/5.36'),
    GEM_PATH: paths('debian/usr/share/rubygems-integration/all', 'debian/usr/share/rubygems-integration/3.1.0',
      'debian/usr/lib/x86_64-linux-gnu/rubygems-integration/3.1.0'),
    RUBYLIB: paths(...ruby.map((folder) => `debian/usr/${folder}`)),
    GI_TYPELIB_PATH: paths('debian/usr/lib/x86_64-linux-gnu/girepository-1.0'),
    GOROOT: `${last}/lib/go-1.19`, GOPATH: `${last}/share/gocode`, GO111MODULE: 'off', GOCACHE: path.join(ROOTS.at(-1), 'go-cache'),
  };
  const musl = `${process.env.NWS_MUSL}/x86_64/lib`;
  return {
    env,
    debian: path.join(ROOT, 'debian'),
    python: path.join(ROOT, 'python'),
    modules: path.join(ROOTS.at(-1), 'node_modules'),
    go: `${last}/lib/go-1.19/bin/go`,
    long: path.dirname(last),
    built: process.env.NWS_SERVERS_BUILT,
    ...javaAndErlang(last),
    bun: [`${musl}/ld-musl-x86_64.so.1`, '--library-path', `${BUN}/x86_64:${musl}`, `${BUN}/x86_64/bun`],
  };
}

/** `usr`: the folder of what is only there with --all. */
function javaAndErlang(usr) {
  const own = `${usr}/lib/jvm/java-17-openjdk-amd64/bin/java`;
  const erlang = `${usr}/lib/erlang`;
  const runtime = fs.existsSync(erlang) && fs.readdirSync(erlang).find((name) => name.startsWith('erts-'));
  const ebin = (application) => `${rabbitmq(usr, application) ?? `${usr}/lib/${application}`}/ebin`;
  return { java: fs.existsSync(own) ? own : 'java', jars, erlang: { root: erlang, programs: `${erlang}/${runtime}/bin`, ebin } };

  /** Debian's names without a version, of the libraries that the server of this name is made of. */
  function jars(name) {
    const files = { Jetty: /^(jetty9-[a-z-]+|servlet-api)\.jar$/, Tomcat: /^tomcat10-[a-z-]+\.jar$/, Netty: /^netty-[a-z0-9-]+\.jar$/ }[name];
    return fs.readdirSync(`${usr}/share/java`).filter((file) => files.test(file)).map((file) => `${usr}/share/java/${file}`).join(':');
  }
}

/** The folder of an Erlang application that RabbitMQ brings along. */
function rabbitmq(usr, application) {
  const lib = `${usr}/lib/rabbitmq/lib`;
  if (!fs.existsSync(lib)) return undefined;
  const plugins = `${lib}/${fs.readdirSync(lib)[0]}/plugins`;
  const found = fs.readdirSync(plugins).find((name) => name.startsWith(`${application}-`));
  return found && `${plugins}/${found}`;
}

const rabbitmqVersion = (name) => rabbitmq(path.join(ROOTS.at(-1), 'debian/usr'), name)?.split('-').at(-1);

function pypiVersion(name) {
  const prefix = `${name.replaceAll('-', '_')}-`;
  for (const root of ROOTS) {
    const folder = fs.readdirSync(path.join(root, 'python')).find((each) => each.startsWith(prefix) && each.endsWith('.dist-info'));
    if (folder) return folder.slice(prefix.length, -'.dist-info'.length);
  }
  return undefined;
}

function npmVersion(name) {
  const file = ROOTS.map((root) => path.join(root, 'node_modules', name, 'package.json')).find((each) => fs.existsSync(each));
  return file && JSON.parse(fs.readFileSync(file, 'utf8')).version;
}

function debianVersion(name) {
  const lines = ROOTS.flatMap((root) => fs.readFileSync(path.join(root, 'debian.txt'), 'utf8').split('\n'));
  const unpacked = lines.find((line) => line.startsWith(`${name} `));
  if (unpacked) return unpacked.split(' ')[1];
  // One that the machine has is not unpacked.
  return execFileSync('dpkg-query', ['--show', '--showformat', '${Version}', name]).toString();
}

/** versionOf('pypi tornado'): '6.6.1'. */
function versionOf(needs) {
  const [registry, name] = needs.split(' ');
  const version = {
    npm: npmVersion, pypi: pypiVersion, debian: debianVersion, rabbitmq: rabbitmqVersion, bun: () => fs.readFileSync(path.join(BUN, '.stamp'), 'utf8').split(' ')[0],
  }[registry](name);
  if (!version) throw new Error(`${needs} is not installed`);
  return version;
}

module.exports = { environment, versionOf };
