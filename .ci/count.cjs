// Reads the runner's JSON report. Prints "PASSED FAILED". Standard error names what failed, for the end of the log.
const { readFileSync } = require('node:fs');

const CHARACTERS_MAX = 2_000;
try {
  const { numPassedTests, numFailedTests, numFailedTestSuites, testResults } = JSON.parse(
    readFileSync(process.argv[2], 'utf8'),
  );
  for (const { name, status, message, assertionResults } of testResults) {
    if (status === 'failed') console.error(`${name} failed${message ? `: ${message}` : ''}`);
    for (const { status, fullName, failureMessages } of assertionResults) {
      const text = failureMessages.join('\n').slice(0, CHARACTERS_MAX);
      if (status === 'failed') console.error(`  ${fullName}\n    ${text.replaceAll('\n', '\n    ')}`);
    }
  }
  console.log(numPassedTests, numFailedTests + numFailedTestSuites);
} catch (error) {
  console.error(`no report of a suite: ${error.message}`);
  console.log('0 1');
}
