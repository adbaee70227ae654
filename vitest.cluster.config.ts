import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

/** The end-to-end tests on a Temporal server with Postgres, as in production, in place of the dev server. */
export default defineConfig({
  test: {
    ...base.test,
    include: ['test/e2e/**/*.test.ts', 'test/cluster/**/*.test.ts'],
    exclude: [
      // About the server of the embedded mode, and its files.
      'test/e2e/embedded-restart.test.ts',
      'test/e2e/secrets.test.ts',
      // On the time-skipping server: they wait for months.
      'test/e2e/long-wait.test.ts',
    ],
    globalSetup: ['test/support/cluster-setup.ts'],
  },
})
