import { expect, test, vi } from 'vitest'
import type { Receipt } from '../../src/client.js'
import { formatKeys, generateKey } from '../../src/encryption/key-ring.js'
import { openProcesses } from '../support/separate-processes.js'
import { waitForDeliveries } from '../support/waiting.js'

vi.setConfig({ testTimeout: 180_000 })

test('keys are rotated while workers run and events are emitted: every first attempt delivers', async (context) => {
  const [k1, k2] = [generateKey(), generateKey()]
  const keys = { old: [k1], both: [k1, k2], swapped: [k2, k1], new: [k2] }
  const variables = (phase: keyof typeof keys) => ({ SYNC_ENCRYPTION_KEYS: formatKeys(keys[phase]) })
  const processes = await openProcesses(context, variables('old'))
  const receiver = await processes.startReceiver()
  const syncService = await processes.connect()
  for (let index = 0; index < 5; index++) {
    await syncService.registerEndpoint(`EMS-${index}`, {
      url: receiver.url,
      authToken: `Bearer token-${index}`,
    })
  }
  const receipts: Receipt[] = []
  const done = new AbortController()
  const emitting = (async () => {
    while (!done.signal.aborted) {
      receipts.push(await syncService.emit('policy.approved', { number: receipts.length }))
      await receiver.waitForRequests(5 * receipts.length)
    }
  })()

  // One worker after the other gets the next keys, while the other one works.
  let running = await processes.startWorker(variables('old'))
  const replaceBy = async (phase: keyof typeof keys): Promise<void> => {
    const next = await processes.startWorker(variables(phase))
    const emitted = receipts.length
    await expect.poll(() => receipts.length, { timeout: 60_000 }).toBeGreaterThan(emitted + 10)
    expect(await running.end('SIGTERM')).toMatchObject({ code: 0 })
    running = next
  }
  await replaceBy('both')
  await replaceBy('swapped')
  const rotation = await processes.runCommand(['keys', 'rotate'], variables('swapped'))
  expect(rotation).toMatchObject({
    code: 0,
    output: expect.stringContaining(
      `5 of 5 endpoints are encrypted under the key ${k2.id}; 5 were not before`,
    ),
  })
  await replaceBy('new')
  done.abort()
  await emitting

  for (const receipt of receipts) {
    await waitForDeliveries(
      syncService,
      receipt,
      Array.from({ length: 5 }, (_, index) => ({
        endpoint: `EMS-${index}`,
        state: 'delivered',
        attempts: 1,
      })),
    )
  }
  const tokens = new Set(receiver.requests.map(({ headers }) => headers.authorization))
  expect(tokens).toEqual(new Set([0, 1, 2, 3, 4].map((index) => `Bearer token-${index}`)))
})

test('the key file of the embedded mode is rotated by one command, and running processes follow', async (context) => {
  const processes = await openProcesses(context, { DATABASE_URL: undefined, SYNC_ENCRYPTION_KEYS: undefined })
  const receiver = await processes.startReceiver()
  const syncService = await processes.connect()
  await syncService.registerEndpoint('EMS', { url: receiver.url, authToken: 'Bearer one' })
  await processes.startWorker()
  const before = await syncService.emit('policy.approved', { number: 1 })
  await waitForDeliveries(syncService, before, [{ state: 'delivered' }])

  expect(await processes.runCommand(['keys', 'rotate'])).toMatchObject({
    code: 0,
    output: expect.stringMatching(/1 of 1 endpoints .* 1 were not before[^]*does not need the key/),
  })

  await syncService.registerEndpoint('EMS', { url: receiver.url, authToken: 'Bearer two' })
  const after = await syncService.emit('policy.approved', { number: 2 })
  await waitForDeliveries(syncService, after, [{ state: 'delivered', attempts: 1 }])
  expect(receiver.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two'])
})

test('a worker that lacks a key does not start, and says which', async (context) => {
  const [k1, k2] = [generateKey(), generateKey()]
  const processes = await openProcesses(context, { SYNC_ENCRYPTION_KEYS: formatKeys([k1]) })
  const syncService = await processes.connect()
  await syncService.registerEndpoint('EMS', { url: 'https://ems.city.example/', authToken: 'Bearer one' })

  const missing = await processes.runCommand(['worker'], { SYNC_ENCRYPTION_KEYS: formatKeys([k2]) })
  expect(missing.code).toBe(1)
  expect(missing.output).toMatch(new RegExp(`ENCRYPTION_KEY_MISSING .*"${k1.id}".*"${k2.id}"`))
  const wrong = await processes.runCommand(['worker'], {
    SYNC_ENCRYPTION_KEYS: formatKeys([{ ...k2, id: k1.id }]),
  })
  expect(wrong).toMatchObject({ code: 1, output: expect.stringContaining('ENCRYPTION_KEY_WRONG') })
})
