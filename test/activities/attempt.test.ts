import { expect, test } from 'vitest'
import { makeAttempt } from '../../src/activities/attempt.js'
import { NO_PROGRESS } from '../../src/domain/delivery.js'
import type { StoredEndpoint } from '../../src/store/endpoint-store.js'
import { startReceiver } from '../../src/testing/receiver.js'
import { workerParts } from '../support/attempts.js'

test('an attempt with outdated settings that would make the delivery wait is made again with the latest', async () => {
  const { outcome, tokens } = await attempt({ known: 'old', latest: 'new' })

  expect(outcome).toMatchObject({
    kind: 'delivered',
    attempts: 2,
    evidence: [{ status: 401 }, { status: 200 }],
  })
  expect(tokens).toEqual(['old', 'new'])
})

test('where nothing has changed the delivery waits, after one attempt', async () => {
  const { outcome, tokens } = await attempt({ known: 'old', latest: 'old' })

  expect(outcome).toMatchObject({
    kind: 'waiting',
    reason: 'misconfigured',
    endpointVersion: 'old',
    attempts: 1,
  })
  expect(tokens).toEqual(['old'])
})

test('an endpoint that was not known yet gets the event, and is not taken for a removed one', async () => {
  const { outcome } = await attempt({ known: undefined, latest: 'new' })

  expect(outcome).toMatchObject({ kind: 'delivered', attempts: 1 })
})

test('an endpoint that was removed ends the delivery', async () => {
  const { outcome } = await attempt({ known: undefined, latest: undefined })

  expect(outcome).toMatchObject({ kind: 'discarded', reason: 'the endpoint was removed' })
})

test('an endpoint that the store has never had is tried again, and its delivery is not given up', async () => {
  await expect(attempt({ known: undefined, latest: undefined, wasRemoved: false })).rejects.toMatchObject({
    code: 'ENDPOINT_NOT_FOUND',
    message: expect.stringContaining('has never had EMS'),
  })
})

test('an endpoint whose key is missing is tried again, and does not wait as misconfigured', async () => {
  const problem = { problem: 'what is encrypted under the key "k2" cannot be read', missingKey: 'k2' }

  await expect(attempt({ known: 'old', latest: 'old', problem })).rejects.toMatchObject({
    code: 'ENCRYPTION_KEY_MISSING',
  })
})

/** Makes an attempt to a receiver that takes the token `new` alone; an endpoint's version is its token. */
async function attempt({
  known,
  latest,
  problem,
  wasRemoved = true,
}: {
  known: string | undefined
  latest: string | undefined
  problem?: object
  wasRemoved?: boolean
}) {
  await using receiver = await startReceiver(({ headers }, response) => {
    response.writeHead(headers.authorization === 'new' ? 200 : 401).end()
  })
  const at = (version: string | undefined): StoredEndpoint | undefined =>
    version === undefined
      ? undefined
      : {
          name: 'EMS',
          url: receiver.url,
          authToken: version,
          state: 'active',
          version,
          createdAt: '2026-11-25T00:00:00Z',
          updatedAt: '2026-11-25T00:00:00Z',
          ...problem,
        }
  const parts = workerParts(at(known))
  const outcome = await makeAttempt(
    {
      ...parts,
      endpoints: {
        ...parts.endpoints,
        getLatest: () => Promise.resolve(at(latest)),
        wasRemoved: () => Promise.resolve(wasRemoved),
      },
    },
    {
      endpoint: 'EMS',
      event: { type: 'policy.approved', id: '1', time: '2026-11-25T00:00:00Z', data: {} },
      acceptedAt: '2026-11-25T00:00:00Z',
      earlierAttempts: 0,
    },
    NO_PROGRESS,
    { signal: new AbortController().signal },
  )
  return { outcome, tokens: receiver.requests.map(({ headers }) => headers.authorization) }
}
