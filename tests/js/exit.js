'use strict';

// Ends the process at a bad moment, chosen by the argument: in a listener during a flood, by an uncaught exception, while
// connecting, or while other environments have connections. The exit status must be 7 and not that of a crash.

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { load } = require('./load.js');

const { WS_URL, NET_WEBSOCKET_LIB } = process.env;
const STATUS = 7;

const { createWebSocket } = load();

function connect(url) {
  const ws = createWebSocket();
  ws.on('error', ({ message }) => console.log(message));
  ws.connect(url);
  return ws;
}

const modes = {
  listener() {
    let left = 1000;
    for (let index = 0; index < 10; index += 1) {
      connect(`${WS_URL}/flood/100000/64`).on('message', () => {
        left -= 1;
        if (left === 0) process.exit(STATUS);
      });
    }
  },
  exception() {
    process.on('uncaughtException', () => process.exit(STATUS));
    connect(`${WS_URL}/flood/100000/64`).on('message', () => {
      throw new Error('thrown by a listener');
    });
  },
  connecting() {
    for (let index = 0; index < 10; index += 1) {
      const ws = connect(`${WS_URL}/hang`);
      ws.send('never sent').catch(() => {});
      ws.next().catch(() => {});
    }
    setImmediate(() => process.exit(STATUS));
  },
  environments() {
    let ready = 0;
    for (let index = 0; index < 3; index += 1) {
      const workerData = { url: WS_URL, mode: 'flooded', library: path.resolve(NET_WEBSOCKET_LIB) };
      new Worker(path.join(__dirname, 'worker.js'), { workerData }).on('message', () => {
        ready += 1;
        if (ready === 3) process.exit(STATUS);
      });
    }
  },
};

modes[process.argv[2]]();
