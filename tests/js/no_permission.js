'use strict';

// In a process that may not make sockets: the error is 201 and names the permission.

const assert = require('node:assert');

const { load } = require('./load.js');

const ws = load().createWebSocket();
ws.on('error', (error) => {
  assert.strictEqual(error.code, 201, error.message);
  assert.match(error.message, /TCP connect to 127\.0\.0\.1:9 failed: .*ohos\.permission\.INTERNET/);
  console.log('1 passed, 0 failed');
});
ws.connect('ws://127.0.0.1:9/');
