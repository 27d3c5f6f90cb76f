'use strict';

const path = require('node:path');
const process = require('node:process');

/** Loads the library that the variable NET_WEBSOCKET_LIB names, whatever its file extension, in Node and in Bun. */
function load() {
  const file = process.env.NET_WEBSOCKET_LIB;
  if (!file) throw new Error('NET_WEBSOCKET_LIB must name libnet_websocket.so or net_websocket.node');
  const library = { exports: {} };
  process.dlopen(library, path.resolve(file));
  return library.exports;
}

module.exports = { load };
