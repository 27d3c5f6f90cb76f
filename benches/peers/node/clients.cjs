// The ArkTS API, web.WebSocket, npm ws and Node's own WebSocket: in one process, one after the other, against the same server.
//
//   node --expose-gc [--experimental-websocket] clients.cjs MODE SIZE COUNT URL FIRST
//
// MODE is receive, echo (many messages under way) or round-trip (one). Each client does COUNT messages in each of ROUNDS rounds, and
// in one round before them that does not count, in which the engine compiles what it wants to. In every round another client begins;
// in the first it is number FIRST. Prints a line for each client: its name, and the CPU time of the whole process and the wall time
// for each message.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const ws = require('ws')

const ROUNDS = 3
// What an echo keeps under way: that many messages, but no more bytes than that.
const ECHO_MESSAGES = 64
const ECHO_BYTES = 1_048_576

const [mode, sizeText, countText, url, first] = process.argv.slice(2)
const size = Number(sizeText)
const count = Number(countText)
const isText = url.includes('text')
const { buffer } = Uint8Array.from({ length: size }, (_, i) => (isText ? 32 + (i % 90) : (i * 151) & 0xff))
const text = Buffer.from(buffer).toString('latin1')
const underWay = mode === 'echo' ? Math.max(1, Math.min(ECHO_MESSAGES, Math.floor(ECHO_BYTES / size))) : 1

const library = { exports: {} }
process.dlopen(library, path.resolve(process.env.NET_WEBSOCKET_LIB))

// Each calls opened({ send, close }), seen(length of a message), failed(message) and closed().
const clients = {
  'net_websocket (ArkTS)': ({ opened, seen, failed, closed }) => {
    const socket = library.exports.createWebSocket()
    const payload = isText ? text : buffer
    socket.on('open', () => opened({ send: () => socket.send(payload), close: () => socket.close() }))
    socket.on('message', isText ? (_, data) => seen(data.length) : (_, data) => seen(data.byteLength))
    socket.on('error', ({ message }) => failed(message))
    socket.on('close', closed)
    socket.connect(url)
  },
  // It gives binary messages as Buffers, views into larger memory, unless it is asked for ArrayBuffers, which the others give.
  'npm ws': (listener) => npmWs('nodebuffer', listener),
  'npm ws (ArrayBuffer)': (listener) => npmWs('arraybuffer', listener),
  // The web's interface: one listener each, and ArrayBuffers.
  'net_websocket (web)': (listener) => standard(new library.exports.web.WebSocket(url), listener),
  'npm ws (onmessage)': (listener) => standard(new ws.WebSocket(url, { perMessageDeflate: false }), listener),
  "Node's WebSocket": (listener) => standard(new WebSocket(url), listener),
}
// Of text it gives the bytes either way.
if (isText) delete clients['npm ws (ArrayBuffer)']

function standard(socket, { opened, seen, failed, closed }) {
  const payload = isText ? text : buffer
  socket.binaryType = 'arraybuffer'
  socket.onopen = () => opened({ send: () => socket.send(payload), close: () => socket.close() })
  socket.onmessage = isText ? ({ data }) => seen(data.length) : ({ data }) => seen(data.byteLength)
  socket.onerror = ({ message }) => failed(message ?? 'the connection failed')
  socket.onclose = closed
}

function npmWs(binaryType, { opened, seen, failed, closed }) {
  const socket = new ws.WebSocket(url, { perMessageDeflate: false })
  const payload = isText ? text : Buffer.from(buffer)
  socket.binaryType = binaryType
  socket.on('open', () => opened({ send: () => socket.send(payload), close: () => socket.close() }))
  if (isText) socket.on('message', (data) => seen(data.toString().length))
  else if (binaryType === 'arraybuffer') socket.on('message', (data) => seen(data.byteLength))
  else socket.on('message', (data) => seen(data.length))
  socket.on('error', ({ message }) => failed(message))
  socket.on('close', closed)
}

function now() {
  const { user, system } = process.cpuUsage()
  return { cpu: (user + system) * 1000, wall: Number(process.hrtime.bigint()) }
}

/** What `count` messages through a client took. */
function section(client) {
  return new Promise((resolve, reject) => {
    let socket
    let start
    let result
    let left = count
    // In a flood the server needs one message to begin.
    let unsent = mode === 'receive' ? 1 : count
    client({
      opened(open) {
        socket = open
        globalThis.gc()
        start = now()
        for (let i = 0; i < underWay; i++) {
          unsent--
          socket.send()
        }
      },
      seen(length) {
        if (length !== size) return reject(new Error(`a message of ${length} bytes instead of ${size}`))
        if (unsent > 0) {
          unsent--
          socket.send()
        }
        if (--left > 0) return
        // Each pays for what it leaves to the garbage collector.
        globalThis.gc()
        const end = now()
        result = { cpu: end.cpu - start.cpu, wall: end.wall - start.wall }
        socket.close()
      },
      failed: (message) => reject(new Error(message)),
      closed: () => (result ? resolve(result) : reject(new Error(`closed with ${left} messages to come`))),
    })
  })
}

async function main() {
  const names = Object.keys(clients)
  const sums = new Map(names.map((name) => [name, { cpu: 0, wall: 0 }]))
  for (let round = 0; round <= ROUNDS; round++) {
    for (let place = 0; place < names.length; place++) {
      const name = names[(place + round + Number(first)) % names.length]
      const { cpu, wall } = await section(clients[name])
      if (round === 0) continue
      sums.get(name).cpu += cpu
      sums.get(name).wall += wall
    }
  }
  const each = (sum) => (sum / (ROUNDS * count)).toFixed(1)
  const lines = names.map((name) => `${name}: cpu_ns=${each(sums.get(name).cpu)} wall_ns=${each(sums.get(name).wall)}\n`)
  fs.writeSync(1, lines.join(''))
}

main().then(
  () => process.exit(0),
  ({ message }) => {
    fs.writeSync(2, `${message}\n`)
    process.exit(1)
  },
)
