import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test, vi } from 'vitest'
import { formatKeys, generateKey, KeyRing } from '../../src/encryption/key-ring.js'
import { migrateStore, openStore } from '../../src/store/open-store.js'
import { startReceiver, type Receiver } from '../../src/testing/receiver.js'
import { runDoc } from '../support/doc-runner.js'
import { freePort } from '../support/free-port.js'
import { isInstalled } from '../support/is-installed.js'
import { openDatabase } from '../support/test-database.js'

// Each command is a process of its own, which takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 420_000 })

const FILE = 'docs/operations.md'
const NEEDED = ['bash', 'curl', 'jq', 'sqlite3', 'openssl']

test('what docs/operations.md tells to do does what it says', async ({ skip }) => {
  for (const command of NEEDED) skip(!isInstalled(command), `there is no ${command}`)
  const ems = await open()
  const hospital = await open()
  hospital.respondWith((_, response) => void response.writeHead(503).end('closed for maintenance'))
  const [noTemporal, noDatabase] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const standsFor = new Map([
    ['https://ems.city.example', ems.url.slice(0, -1)],
    ['https://hospital.city.example', hospital.url.slice(0, -1)],
    ['temporal.city.example:7233', noTemporal],
    ['db.city.example/sync', `${noDatabase}/sync`],
  ])
  const call = async (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${standsFor.get('http://127.0.0.1:8080')}/v1/${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  const register = (name: string, { url }: Receiver): Promise<Response> =>
    call('PUT', `endpoints/${name}`, {
      url: `${url}hooks`,
      authToken: 'Bearer of-yesterday',
      signingSecrets: [`whsec_${randomBytes(32).toString('base64')}`],
    })
  const emit = (id: string): Promise<Response> =>
    call('POST', 'events', { type: 'policy.approved', id, data: { id: id.replace(/-v1$/, '') } })
  /** Waits until so many events are not delivered everywhere, each of which waits. */
  const waitUntilWaiting = (count: number): Promise<void> =>
    vi.waitFor(
      async () => {
        const answer = await call('GET', 'events?status=running')
        expect(await answer.json()).toMatchObject({
          events: Array.from({ length: count }, () => ({ waiting: 1 })),
        })
      },
      { timeout: 30_000, interval: 200 },
    )

  await runDoc(FILE, {
    standsFor,
    runs: ({ code }) => !code.includes('pg_'),
    before: {
      '$ npx external-sync doctor': async () => {
        await register('EMS-Scheduler', ems)
        await register('Regional-Hospital', hospital)
      },
      '"attempt"': () => emit('SAFETY-7-v1'),
      'endpoints resume': async () => hospital.respondWith(200),
      'retry --all': async () => {
        await waitUntilWaiting(0)
        hospital.respondWith(401)
        await emit('SAFETY-5-v1')
        await waitUntilWaiting(1)
        hospital.respondWith(200)
      },
      'nothing waits for': () => waitUntilWaiting(0),
      'events are not delivered everywhere yet': async () => {
        hospital.respondWith(422)
        await emit('SAFETY-6-v1')
        await emit('SAFETY-8-v1')
        await waitUntilWaiting(2)
      },
      external_sync_events_refused_total: () => call('POST', 'events', { type: 'no type', data: null }),
      '$ tail -1 sync.log': (shell) => shell.stop(),
      'new-token.txt': (shell) => shell.run("echo 'Bearer of-today' > new-token.txt"),
      'temporal.city.example': (shell) => shell.run(`export TEMPORAL_ADDRESS=${noTemporal}`),
      'db.city.example/sync': (shell) =>
        shell.run(
          `unset TEMPORAL_ADDRESS; export SYNC_ENCRYPTION_KEYS=${formatKeys([generateKey()])} ` +
            `DATABASE_URL=postgres://sync:password@${noDatabase}/sync`,
        ),
      '$ npx external-sync migrate': (shell) => shell.run('unset SYNC_ENCRYPTION_KEYS DATABASE_URL'),
      'mv .external-sync': async (shell) => {
        await emit('SAFETY-9-v1')
        await shell.stop()
        hospital.respondWith(200)
      },
    },
    after: async () => {
      // What waited when the backup was made is there after the restore.
      await call('POST', 'events/policy.approved/SAFETY-8-v1/deliveries/Regional-Hospital/retry')
      await vi.waitFor(() => expect(deliveredTo(hospital)).toContain('SAFETY-8-v1'), { timeout: 30_000 })
    },
  })
})

test('a dump of an endpoint store in Postgres brings back what was registered', async ({ skip }) => {
  for (const command of ['bash', 'pg_dump', 'pg_restore'])
    skip(!isInstalled(command), `there is no ${command}`)
  const url = await openDatabase()
  const key = generateKey()
  const options = { database: { kind: 'postgres', url } as const, keys: new KeyRing([key]) }
  await migrateStore(options)
  const store = await openStore(options)
  onTestFinished(() => store.close())
  await store.put('Shift-Planner', { url: 'https://planner.city.example' })

  await runDoc(FILE, {
    standsFor: new Map([['postgres://db.city.example/sync', store.location]]),
    variables: { DATABASE_URL: url, SYNC_ENCRYPTION_KEYS: formatKeys([key]) },
    runs: ({ code }) => code.includes('pg_'),
    before: { pg_restore: () => store.remove('Shift-Planner') },
  })

  expect(await store.get('Shift-Planner')).toMatchObject({ url: 'https://planner.city.example' })
})

/** A receiver that ends with the test. */
async function open(): Promise<Receiver> {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.stop())
  return receiver
}

function deliveredTo({ requests }: Receiver): unknown[] {
  return requests.map(({ headers }) => headers['webhook-id'])
}
