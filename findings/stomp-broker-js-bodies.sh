#!/usr/bin/env bash
# npm's stomp-broker-js changes relayed messages. Its content-length counts UTF-16 units, an empty line becomes a comma,
# and a binary body is read as UTF-8 and cut at the first zero.
#
# A good guess: a broker relays bodies unchanged (STOMP 1.2, content-length counts octets). A client that uses
# content-length, as STOMP requires, cuts non-ASCII text. The broker sends a client none of its own messages, so a
# single client gets no echo.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm stomp-broker-js@1.3.0 ws@8.23.0
cat >"$work/broker.js" <<'JS'
const server = require('node:http').createServer()
new (require('stomp-broker-js'))({ server, path: '/stomp' })
server.listen(16821, '127.0.0.1')
JS
cat >"$work/clients.js" <<'JS'
const { WebSocket } = require('ws')

function client() {
  const socket = new WebSocket('ws://127.0.0.1:16821/stomp')
  socket.frames = []
  socket.on('message', (data) => (socket.waiting ? socket.waiting(data) : socket.frames.push(data)))
  socket.on('open', () => socket.send('CONNECT\naccept-version:1.2\n\n\0'))
  socket.next = () => new Promise((resolve) => {
    if (socket.frames.length > 0) return resolve(socket.frames.shift())
    socket.waiting = (data) => {
      socket.waiting = undefined
      resolve(data)
    }
  })
  return socket
}

function show(name, frame) {
  const [head, ...rest] = frame.toString('latin1').split('\n\n')
  const length = /^content-length:(\d+)$/m.exec(head)[1]
  const body = Buffer.from(rest.join('\n\n'), 'latin1')
  console.log(`${name}: content-length ${length}, ${body.length - 1} bytes ${JSON.stringify(body.subarray(0, -1).toString())}`)
}

async function main() {
  const [listener, sender] = [client(), client()]
  await Promise.all([listener.next(), sender.next()])
  listener.send('SUBSCRIBE\nid:0\ndestination:/topic/room\n\n\0')
  sender.send('SUBSCRIBE\nid:0\ndestination:/topic/room\n\n\0')
  const send = (body) => {
    const bytes = Buffer.from(body)
    sender.send(Buffer.concat([Buffer.from(`SEND\ndestination:/topic/room\ncontent-length:${bytes.length}\n\n`), bytes, Buffer.of(0)]))
    return listener.next()
  }
  show('ascii', await send('plain'))
  show('not ascii', await send('网络'))
  show('an empty line', await send('a\n\nb'))
  show('a zero', await send(Buffer.of(97, 0, 98)))
  show('no UTF-8', await send(Buffer.of(97, 255, 98)))
  console.log(`the sender's own subscription: ${sender.frames.length} messages`)
  process.exit(0)
}
main()
JS
serve node broker.js
python3 -c 'from raw import *; Raw(16821, "/stomp")'

NODE_PATH=$work/node_modules node "$work/clients.js" | compare 'ascii: content-length 5, 5 bytes "plain"
not ascii: content-length 2, 6 bytes "网络"
an empty line: content-length 3, 3 bytes "a,b"
a zero: content-length 1, 1 bytes "a"
no UTF-8: content-length 3, 5 bytes "a�b"
the sender'"'"'s own subscription: 0 messages'
