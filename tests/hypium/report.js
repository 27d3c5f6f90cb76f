/**
 * Runs the suites, but for those named in `leftOut`, and writes a line for each test and one of counts. Calls `ended` with the
 * number of failures.
 */
function runSuites(platform, write, leftOut, ended) {
  let suite;
  let test;
  let why;
  let passed = 0;
  let failed = 0;
  const delegator = {
    printSync: (text) => {
      for (const line of text.split('\n')) {
        const [, key, value] = line.match(/^OHOS_REPORT_STATUS(?:: (\w+)|_CODE:)[= ](.*)$/) ?? [];
        if (key === 'class') [suite, why] = [value, undefined];
        else if (key === 'test') test = value;
        else if (key === 'stack') why = value;
        else if (key === undefined && value === '0') {
          passed += 1;
          write(`ok    ${suite} ${test}`);
        } else if (key === undefined && (value === '-1' || value === '-2')) {
          failed += 1;
          write(`FAIL  ${suite} ${test}: ${why}`);
        }
      }
    },
    finishTest: () => {
      write(`${passed} passed, ${failed} failed`);
      ended(failed);
    },
  };
  const parameters = { '-s timeout': '30000' };
  if (leftOut) {
    parameters['-s notClass'] = leftOut;
    write(`skip: ${leftOut}, which needs what this engine does not have`);
  }
  const { Hypium } = load(HYPIUM, platform);
  Hypium.hypiumTest(delegator, { parameters }, () => load(LIST, platform).default());
}
