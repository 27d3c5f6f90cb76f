'use strict';

// All tests of libraries, in one process. tests/libraries/run.sh runs it.

const { run } = require('../js/harness.js');

require('./reconnecting.test.js');
require('./socket-io.test.js');
require('./mqtt.test.js');
require('./graphql.test.js');
require('./stomp.test.js');
require('./trpc.test.js');
require('./nats.test.js');
require('./own-class.test.js');

run();
