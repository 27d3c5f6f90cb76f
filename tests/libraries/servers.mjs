// The servers for the libraries, each on its own port. Prints LIBRARIES_CONTROL=URL and READY, and ends when its standard input
// does. GET URL/start/NAME starts a server, on the port it had before if it had one, and answers with the port; URL/stop/NAME
// ends it as a crash does: without a word to its clients.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const modules = process.env.NWS_LIBRARIES
if (!modules) throw new Error('NWS_LIBRARIES must name the folder that has the libraries; run this through tests/libraries/run.sh')
const require = createRequire(join(modules, 'package.json'))
const load = (name) => import(pathToFileURL(require.resolve(name)))

const HOST = '127.0.0.1'
const work = mkdtempSync(join(tmpdir(), 'net-websocket-libraries-'))
const { WebSocketServer, createWebSocketStream } = require('ws')

const listen = (server, port) => new Promise((resolve, reject) => server.once('error', reject).listen(port, HOST, () => resolve(server.address().port)))

/** A server in this process: `attach` adds a new protocol handler to an HTTP server. */
function inProcess(attach) {
  let server
  let sockets
  return {
    async start(port = 0) {
      sockets = new Set()
      server = createServer((_, response) => response.writeHead(404).end())
      server.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))))
      await attach(server)
      return listen(server, port)
    },
    stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.resetAndDestroy()
      return closed
    },
  }
}

/** A separate program. `configure` gives its arguments for a port. */
function program(command, configure) {
  let child
  return {
    async start(port) {
      const own = port ?? (await freePort())
      child = spawn(command, configure(own), { stdio: ['ignore', 'ignore', 'inherit'] })
      child.once('error', ({ message }) => console.error(`${command}: ${message}`))
      for (;;) {
        if (await answers(own)) return own
        if (child.exitCode !== null) throw new Error(`${command} ended with status ${child.exitCode}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      return ended
    },
  }
}

async function freePort() {
  const server = createServer()
  const port = await listen(server, 0)
  await new Promise((resolve) => server.close(resolve))
  return port
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, HOST)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.end()
  })
}

function configuration(name, text) {
  const file = join(work, name)
  writeFileSync(file, text)
  return file
}

const servers = {
  // npm ws: gives back what it gets.
  ws: inProcess((server) => {
    new WebSocketServer({ server }).on('connection', (socket) => {
      socket.on('error', () => {}).on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    })
  }),

  'socket.io': inProcess((server) => {
    const { Server } = require('socket.io')
    const io = new Server(server, { transports: ['websocket'], pingInterval: 200, pingTimeout: 5000 })
    io.on('connection', (socket) => {
      socket.on('echo', (data, answer) => answer(data))
      socket.on('twice', (data) => socket.emit('back', data, data))
    })
  }),

  aedes: inProcess(async (server) => {
    const { Aedes } = await load('aedes')
    const broker = await Aedes.createBroker()
    new WebSocketServer({ server, handleProtocols: (offered) => offered.has('mqtt') && 'mqtt' }).on('connection', (socket, request) => {
      const stream = createWebSocketStream(socket)
      stream.on('error', () => {})
      broker.handle(stream, request)
    })
  }),

  mosquitto: program('/usr/sbin/mosquitto', (port) => {
    // The one on Debian 12 does not start with a listener for WebSockets alone.
    const lines = [`listener 0 ${join(work, 'mosquitto.sock')}`, `listener ${port} ${HOST}`, 'protocol websockets',
      `user ${userInfo().username}`, 'allow_anonymous true', 'persistence false', 'log_dest none']
    return ['-c', configuration('mosquitto.conf', `${lines.join('\n')}\n`)]
  }),

  'graphql-ws': inProcess(async (server) => {
    const { buildSchema } = require('graphql')
    const { useServer } = await load('graphql-ws/use/ws')
    const schema = buildSchema('type Query { echo(text: String!): String! } type Subscription { count(to: Int!): Int! }')
    const rootValue = {
      echo: ({ text }) => text,
      async *count({ to }) {
        for (let number = 1; number <= to; number++) yield { count: number }
      },
    }
    useServer({ schema, roots: { query: rootValue, subscription: rootValue } }, new WebSocketServer({ server, path: '/graphql' }))
  }),

  stomp: inProcess((server) => {
    const Broker = require('stomp-broker-js')
    const broker = new Broker({ server, path: '/stomp', heartbeat: [0, 0] })
    broker.on('error', () => {})
    broker.subscribe('/topic/question', (body, { as }) => broker.send('/topic/answer', {}, as === 'text' ? body : Buffer.from(body)))
  }),

  trpc: inProcess(async (server) => {
    const { initTRPC } = require('@trpc/server')
    const { applyWSSHandler } = require('@trpc/server/adapters/ws')
    const t = initTRPC.create()
    const text = (value) => {
      if (typeof value !== 'string') throw new Error('not a string')
      return value
    }
    const router = t.router({
      echo: t.procedure.input(text).query(({ input }) => input),
      count: t.procedure.subscription(async function* ({ signal }) {
        for (let number = 1; !signal.aborted; number++) {
          yield number
          if (number === 3) await new Promise((resolve) => signal.addEventListener('abort', resolve))
        }
      }),
    })
    applyWSSHandler({ wss: new WebSocketServer({ server }), router })
  }),

  nats: program('/usr/sbin/nats-server', (port) => {
    const text = `listen: "${HOST}:-1"\nlog_file: "/dev/null"\nwebsocket { listen: "${HOST}:${port}", no_tls: true, compression: true }\n`
    return ['-c', configuration('nats.conf', text)]
  }),
}

const ports = new Map()
const running = new Set()

async function control(path) {
  const [, action, name] = path.split('/')
  const server = servers[name]
  if (!server) throw new Error(`no server ${name}`)
  switch (action) {
    case 'start':
      // A test that failed has left it running.
      if (running.delete(name)) await server.stop()
      ports.set(name, await server.start(ports.get(name)))
      running.add(name)
      return ports.get(name)
    case 'stop':
      if (running.delete(name)) await server.stop()
      return null
    default:
      throw new Error(`no action ${action}`)
  }
}

const controller = createServer((request, response) => {
  control(request.url).then(
    (value) => response.end(JSON.stringify(value)),
    ({ message }) => response.writeHead(500).end(message),
  )
})
const port = await listen(controller, 0)
console.log(`LIBRARIES_CONTROL=http://${HOST}:${port}`)
console.log('READY')

process.stdin.resume().once('end', () => process.exit(0))
process.once('exit', () => {
  for (const name of running) servers[name].stop()
  rmSync(work, { recursive: true, force: true })
})
