// socket.io's own endpoint, with its defaults: Engine.IO speaks first, and pings in text.
'use strict';
const { Server } = require('socket.io');

const io = new Server(Number(process.argv[2]));
io.on('connection', (socket) => {
  socket.on('close', () => socket.disconnect(true));
});
