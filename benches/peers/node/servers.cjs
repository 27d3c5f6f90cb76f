// The server of the ArkTS API and that of npm ws, one after the other, each in a process of its own on the CPU for servers.
//
//   node --expose-gc servers.cjs MODE SIZE COUNT URL FIRST
//
// MODE is echo, of COUNT messages on ECHO_CONNECTIONS connections with one message under way on each, or broadcast, of COUNT messages
// in all to BROADCAST_CONNECTIONS connections. The clients are npm ws in this process, for both alike. Each server does all once before
// what counts, in which its engine compiles what it wants to. The one with number FIRST begins. Prints a line for each: its name, the
// CPU time of the server's process and the wall time for each message. URL is not used.
'use strict'

const { fork } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const ws = require('ws')

const SERVER_CPU = '1'
const ECHO_CONNECTIONS = 64
const BROADCAST_CONNECTIONS = 1_000

// Each has its port told to `ready`, and gives what sends a payload to all.
const servers = {
  'net_websocket (ArkTS)': (size, ready) => {
    const library = { exports: {} }
    process.dlopen(library, path.resolve(process.env.NET_WEBSOCKET_LIB))
    const server = library.exports.createWebSocketServer()
    server.on('messageReceive', ({ data, clientConnection }) => { server.send(data, clientConnection) })
    server.start({ serverIP: '127.0.0.1', serverPort: 0, maxConnectionsForOneClient: 2 * BROADCAST_CONNECTIONS }).then(
      () => ready(server.stats().serverPort))
    const payload = new ArrayBuffer(size)
    return () => server.broadcast(payload)
  },
  'npm ws': (size, ready) => {
    const server = new ws.WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () => ready(server.address().port))
    server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })))
    const payload = Buffer.alloc(size)
    return () => server.clients.forEach((socket) => socket.send(payload))
  },
}

/** The process of a server: answers each message of its parent. */
function serve(name, size) {
  const broadcast = servers[name](size, (port) => process.send(port))
  process.on('message', (wanted) => {
    if (wanted === 'broadcast') return broadcast()
    // Each pays for what it leaves to the garbage collector.
    globalThis.gc()
    const { user, system } = process.cpuUsage()
    process.send((user + system) * 1000)
  })
}

const answerOf = (child) => new Promise((resolve, reject) => {
  const failed = (status) => reject(new Error(`the server ended with ${status}`))
  child.once('exit', failed)
  child.once('message', (answer) => {
    child.off('exit', failed)
    resolve(answer)
  })
})

function usageOf(child) {
  const answer = answerOf(child)
  child.send('usage')
  return answer
}

function connected(port, count) {
  const all = Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const socket = new ws.WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false })
    socket.once('open', () => resolve(socket)).once('error', reject)
  }))
  return Promise.all(all)
}

/** Resolves when `count` messages in all have come. `next` is called at first with each socket, and with it again for what it got. */
function exchange(sockets, size, count, next) {
  return new Promise((resolve, reject) => {
    let left = count
    for (const socket of sockets) {
      socket.removeAllListeners('message').on('message', ({ length }) => {
        if (length !== size) return reject(new Error(`a message of ${length} bytes instead of ${size}`))
        if (--left === 0) resolve()
        next(socket, left)
      })
    }
    sockets.forEach((socket) => next(socket, count))
  })
}

function section(child, mode, sockets, size, count) {
  if (mode === 'echo') {
    const payload = Buffer.alloc(size)
    let unsent = count
    return exchange(sockets, size, count, (socket) => { if (unsent-- > 0) socket.send(payload) })
  }
  let asked = count
  return exchange(sockets, size, count, (_, left) => {
    if (left !== asked) return
    // All have the one before.
    asked -= sockets.length
    if (left > 0) child.send('broadcast')
  })
}

async function measure(name, mode, size, count) {
  const child = fork(__filename, ['serve', name, size], { execPath: 'taskset', execArgv: ['-c', SERVER_CPU, process.execPath, '--expose-gc'] })
  try {
    const port = await answerOf(child)
    const sockets = await connected(port, mode === 'echo' ? ECHO_CONNECTIONS : BROADCAST_CONNECTIONS)
    const whole = Math.max(1, Math.round(count / sockets.length)) * sockets.length
    await section(child, mode, sockets, size, whole)
    const cpu = await usageOf(child)
    const wall = process.hrtime.bigint()
    await section(child, mode, sockets, size, whole)
    const took = Number(process.hrtime.bigint() - wall)
    return { cpu: (await usageOf(child) - cpu) / whole, wall: took / whole }
  } finally {
    child.kill()
  }
}

async function main([mode, size, count, , first]) {
  const names = Object.keys(servers)
  for (let place = 0; place < names.length; place++) {
    const name = names[(place + Number(first)) % names.length]
    const { cpu, wall } = await measure(name, mode, Number(size), Number(count))
    fs.writeSync(1, `${name}: cpu_ns=${cpu.toFixed(1)} wall_ns=${wall.toFixed(1)}\n`)
  }
}

const [, , role, ...rest] = process.argv
if (role === 'serve') {
  serve(rest[0], Number(rest[1]))
} else {
  main([role, ...rest]).then(
    () => process.exit(0),
    ({ message }) => {
      fs.writeSync(2, `${message}\n`)
      process.exit(1)
    },
  )
}
