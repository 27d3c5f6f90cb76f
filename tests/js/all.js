'use strict';

// All tests of the ArkTS API, in one process. tests/js/run.sh runs it.

const { run } = require('./harness.js');

require('./declared.test.js');
require('./opening.test.js');
require('./messages.test.js');
require('./sending.test.js');
require('./events.test.js');
require('./closing.test.js');
require('./arguments.test.js');
require('./lenience.test.js');
require('./ping.test.js');
require('./causes.test.js');
require('./tls.test.js');
require('./delivery.test.js');
require('./reading.test.js');
require('./pieces.test.js');
require('./abort.test.js');
require('./acceptance.test.js');
require('./guide.test.js');
require('./frameworks.test.js');
require('./platform_parity.test.js');
require('./lifecycle.test.js');
require('./proxy.test.js');
require('./reconnect.test.js');
require('./freeze.test.js');
require('./connecting.test.js');
require('./observing.test.js');
require('./secrets.test.js');
require('./web.test.js');
require('./web_stream.test.js');
require('./web_life.test.js');
require('./web_conformance.test.js');
require('./server.test.js');
require('./acceptance_server.test.js');

run();
