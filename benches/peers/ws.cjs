// npm ws, as ws://… of Node applications is.
'use strict'

const fs = require('node:fs')
const { WebSocket } = require('ws')

const BATCH = 64
const WARM_UP = 500
const SETTLE_MS = 2000
// What ws may have accepted and not yet written, so that memory does not grow without bound.
const BUFFERED_BYTES_MAX = 1_048_576

const [mode, sizeText, countText, url] = process.argv.slice(2)
const size = Number(sizeText)
const count = Number(countText)
const payload = Buffer.from({ length: size }, (_, i) => (i * 151 + 128) & 0xff)
const VARIETY = 64
const options = {
  // Level 1, as the others of these rows.
  perMessageDeflate: url.includes('deflate') && { threshold: 0, zlibDeflateOptions: { level: 1 } },
}

const cpuNs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}
const wallNs = () => Number(process.hrtime.bigint())

function begin() {
  return { cpu: cpuNs(), wall: wallNs() }
}

function end(section) {
  const cpu = (cpuNs() - section.cpu) / count
  const wall = (wallNs() - section.wall) / count
  return `cpu_ns=${cpu.toFixed(1)} wall_ns=${wall.toFixed(1)} `
}

function finish(line) {
  fs.writeSync(1, `${line}\n`)
  process.exit(0)
}

function connect() {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, options)
    socket.on('open', () => resolve(socket))
    socket.on('error', reject)
  })
}

function resident() {
  const status = fs.readFileSync('/proc/self/status', 'utf8')
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1])
  return { bytes: field('VmRSS') * 1024, threads: field('Threads') }
}

async function receive() {
  const socket = await connect()
  let left = count
  const section = begin()
  socket.on('message', (data) => {
    if (data.length !== size) throw new Error('a message of another length')
    if (--left === 0) finish(end(section))
  })
  socket.send('go')
}

async function send(batch) {
  const socket = await connect()
  const section = begin()
  socket.on('message', () => finish(end(section)))
  let left = count
  const more = () => {
    while (left > 0 && socket.bufferedAmount < BUFFERED_BYTES_MAX) {
      if (batch > 1) socket._socket.cork()
      for (let i = 0; i < batch && left > 0; i++, left--) socket.send(payload)
      if (batch > 1) socket._socket.uncork()
    }
    if (left > 0) setImmediate(more)
  }
  more()
}

// Text like that of many services; the server makes the same.
function json(number) {
  let text = ''
  for (let line = number * 1009; text.length < size; line += 31) {
    text += `{"id":${line},"symbol":"NWS${line % 97}","price":${line * 7919 % 100000},`
    text += `"volume":${line * 104729 % 1000000},"state":"open"},`
  }
  return text.slice(0, size)
}

async function sendText() {
  const texts = Array.from({ length: VARIETY }, (_, i) => json(i))
  const socket = await connect()
  const before = resident()
  const section = begin()
  socket.on('message', () => {
    const grown = Math.max(0, resident().bytes - before.bytes)
    finish(`${end(section)}grown_bytes=${grown} `)
  })
  let sent = 0
  const more = () => {
    while (sent < count && socket.bufferedAmount < BUFFERED_BYTES_MAX) socket.send(texts[sent++ % VARIETY])
    if (sent < count) setImmediate(more)
  }
  more()
}

async function roundTrip() {
  const socket = await connect()
  const samples = new Float64Array(count)
  let section
  let start
  let trips = 0
  const next = () => {
    start = wallNs()
    socket.send(payload)
  }
  socket.on('message', (data) => {
    const now = wallNs()
    if (data.length !== size) throw new Error('an echo of another length')
    if (trips >= WARM_UP) samples[trips - WARM_UP] = now - start
    trips++
    if (trips === WARM_UP) section = begin()
    if (trips === WARM_UP + count) {
      const line = end(section)
      samples.sort()
      const at = (share) => samples[Math.floor((count - 1) * share)]
      finish(`${line}p50_ns=${at(0.5)} p99_ns=${at(0.99)} `)
    }
    next()
  })
  next()
}

// Each has sent and received as much as its compressors look back, and is still there.
async function exchange() {
  const texts = Array.from({ length: VARIETY }, (_, i) => json(i))
  await idle(async (socket) => {
    for (const text of texts) {
      socket.send(text)
      const data = await new Promise((resolve) => socket.once('message', resolve))
      if (data.length !== size) throw new Error('an echo of another length')
    }
  })
}

async function idle(use = () => {}) {
  const before = resident()
  const sockets = []
  for (let i = 0; i < count; i++) {
    const socket = await connect()
    await use(socket)
    sockets.push(socket)
  }
  setTimeout(() => {
    const after = resident()
    const bytes = Math.max(0, Math.floor((after.bytes - before.bytes) / sockets.length))
    finish(`rss_bytes=${bytes} threads=${after.threads} `)
  }, SETTLE_MS)
}

async function connects() {
  const section = begin()
  for (let i = 0; i < count; i++) {
    const socket = await connect()
    socket.close(1000)
    await new Promise((resolve) => socket.on('close', resolve))
  }
  finish(end(section))
}

const modes = {
  receive,
  send: () => send(1),
  'send-batch': () => send(BATCH),
  'send-text': sendText,
  'round-trip': roundTrip,
  exchange,
  idle: () => idle(),
  connect: connects,
}
modes[mode]()
