/** What checks a block: a test, or nothing for a reason. */
export type BlockCheck = {
  file: string
  /** @default every language */
  language?: string
  /** What the block holds and no other of its language. @default every block */
  part?: string
} & ({ test: string } | { because: string })

const readme = { file: 'README.md', test: 'test/docs/readme.test.ts' }
const observability = { file: 'docs/observability.md', test: 'test/docs/observability.test.ts' }
const receivers = { file: 'docs/receivers.md', test: 'test/docs/receivers.test.ts' }
const A_PICTURE = 'a picture'

/** What checks each block of the README and of `docs/`. */
export const BLOCK_CHECKS: readonly BlockCheck[] = [
  { file: 'README.md', language: '', because: A_PICTURE },
  {
    file: 'README.md',
    language: 'console',
    part: 'npm run demo',
    because: 'test/examples/demo.test.ts runs it',
  },
  { file: 'README.md', language: 'console', part: 'npm test', because: 'it is the run of all tests' },
  // Without Docker: it runs what the file says that containers run.
  { file: 'README.md', language: 'sh', part: 'docker compose up', test: 'test/cluster/compose.test.ts' },
  { ...readme, language: 'js', part: 'first.workflowId' },
  { ...readme, language: 'js', part: 'syncService.forward(' },
  { ...readme, language: 'js', part: 'emitMany' },
  { ...readme, language: 'js', part: 'Shift-Planner' },
  { ...readme, language: 'js', part: 'lastStatus' },
  { ...readme, language: 'js', part: 'startReplay' },
  { ...readme, language: 'ts', part: 'SyncTestEnvironment' },
  { ...readme, language: 'http', part: 'POST /hooks' },
  { ...readme, language: 'sh', part: '/v1/events' },
  { ...readme, language: 'sh', part: 'docker compose exec' },
  { ...readme, language: 'sh', part: 'external-sync setup' },
  { ...readme, language: 'sh', part: 'external-sync migrate' },
  { ...readme, language: 'console', part: 'external-sync endpoints add 911-Dispatch' },
  { ...readme, language: 'console', part: 'external-sync tokens create' },
  { ...readme, language: 'console', part: 'external-sync replay' },
  { ...readme, language: 'console', part: 'external-sync doctor' },
  { ...readme, language: 'console', part: 'external-sync codec' },
  { file: 'docs/api.md', language: 'console', test: 'test/docs/api.test.ts' },
  { file: 'docs/api.md', language: 'sh', test: 'test/docs/api.test.ts' },
  { file: 'docs/api.md', language: 'python', part: 'def emit', test: 'test/docs/api.test.ts' },
  { file: 'docs/operations.md', language: 'console', test: 'test/docs/operations.test.ts' },
  { ...observability, language: 'yaml', part: 'scrape_configs' },
  { ...observability, language: 'sh', part: 'OTEL_EXPORTER_OTLP_ENDPOINT' },
  { ...receivers, language: 'http' },
  { ...receivers, language: 'ts', part: 'isSignedBy' },
  { ...receivers, language: 'ts', part: 'listens on' },
  { ...receivers, language: 'python', part: 'listens on' },
  { ...receivers, language: 'go', part: 'listens on' },
  { ...receivers, language: 'console', part: 'receiver.ts' },
  { ...receivers, language: 'console', part: 'receiver.py' },
  { ...receivers, language: 'console', part: 'receiver.go' },
  { ...receivers, language: 'console', part: 'openssl' },
]
