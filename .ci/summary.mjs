// Prints the test runner's own numbers as the last line, and fails where it failed.
import { readFileSync } from 'node:fs'

const [file, status] = process.argv.slice(2)
let passed = 0
let failed = 1
try {
  const results = JSON.parse(readFileSync(file, 'utf8'))
  passed = results.numPassedTests
  // A file that breaks before its first test, or a failing set-up, has no failed test of its own.
  const brokenFiles = results.testResults.filter(
    ({ status: state, assertionResults }) =>
      state === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  )
  failed = results.numFailedTests + brokenFiles.length
} catch (error) {
  console.error(`no test results: ${error.message}`)
}
if (status !== '0' && failed === 0) failed = 1
if (passed === 0 && failed === 0) failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
