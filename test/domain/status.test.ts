import { expect, test } from 'vitest'
import { byUrgency, endpointStatus, totalsOf, type EndpointFacts } from '../../src/domain/status.js'

const NOW = Date.parse('2026-11-25T12:00:00Z')
const SECOND = 1_000
const MINUTE = 60 * SECOND

const facts = (some: Partial<EndpointFacts>): EndpointFacts => ({
  name: 'EMS',
  isPaused: false,
  waiting: 0,
  isCounted: true,
  isComplete: true,
  ...some,
})

const oldest = '2026-11-25T10:00:00.000Z'
const failing = { failedAt: NOW - 3 * SECOND, failingSince: NOW - MINUTE }

test.for<[title: string, given: Partial<EndpointFacts>, expected: object]>([
  ['nothing was sent yet', {}, { state: 'upToDate' }],
  [
    'everything was delivered',
    { deliveredAt: NOW },
    { state: 'upToDate', lastDeliveredAt: '2026-11-25T12:00:00.000Z' },
  ],
  [
    'attempts fail',
    { ...failing, failure: 'retry' },
    { state: 'retrying', since: '2026-11-25T11:59:00.000Z' },
  ],
  ['search does not show yet what waits', { ...failing, failure: 'rejected' }, { state: 'retrying' }],
  [
    'what failed was given up',
    { ...failing, failedAt: NOW - 7 * MINUTE, failure: 'retry' },
    { state: 'upToDate' },
  ],
  [
    'it is down',
    { ...failing, failure: 'retry', waiting: 2, oldest },
    { state: 'behind', reason: 'down', since: oldest },
  ],
  [
    'it refuses',
    { ...failing, failure: 'misconfigured', waiting: 2 },
    { state: 'behind', reason: 'misconfigured' },
  ],
  [
    'it is catching up',
    { deliveredAt: NOW, failedAt: NOW - MINUTE, failure: 'down', waiting: 2 },
    { state: 'behind' },
  ],
  [
    'it rejects some and takes others',
    { deliveredAt: NOW, failedAt: NOW - MINUTE, failure: 'rejected', waiting: 1 },
    { state: 'behind', reason: 'rejected' },
  ],
  [
    'it is paused',
    { isPaused: true, waiting: 2, oldest, ...failing, failure: 'down' },
    { state: 'paused', since: oldest },
  ],
  [
    'its settings are not accepted',
    { problem: 'url is missing', isPaused: true },
    { state: 'unusable', problem: 'url is missing' },
  ],
  [
    'more may wait',
    { waiting: 2, oldest, isCounted: false, isComplete: false },
    { atLeast: true, orEarlier: true },
  ],
  ['it was counted', { waiting: 2, oldest, isComplete: false }, { waiting: 2, orEarlier: true }],
])('where an endpoint stands when %s', ([, given, expected]) => {
  expect(endpointStatus(facts(given), NOW)).toMatchObject(expected)
})

test('a reason is said of what is behind alone, and of nothing that catches up', () => {
  for (const given of [
    { isPaused: true, waiting: 1, ...failing },
    { deliveredAt: NOW, failedAt: 1, waiting: 1 },
  ])
    expect(endpointStatus(facts({ ...given, failure: 'down' }), NOW)).not.toHaveProperty('reason')
})

test('those that need somebody come first, and are counted', () => {
  const statuses = [
    facts({ name: 'fine', deliveredAt: NOW }),
    facts({ name: 'paused', isPaused: true }),
    facts({ name: 'paused-behind', isPaused: true, waiting: 9 }),
    facts({ name: 'retrying', ...failing, failure: 'retry' }),
    facts({ name: 'behind', waiting: 1 }),
    facts({ name: 'far-behind', waiting: 5 }),
    facts({ name: 'a-fine', deliveredAt: NOW }),
  ].map((one) => endpointStatus(one, NOW))

  expect(statuses.toSorted(byUrgency).map(({ name }) => name)).toEqual([
    'far-behind',
    'behind',
    'retrying',
    'paused-behind',
    'paused',
    'a-fine',
    'fine',
  ])
  expect(totalsOf(statuses)).toEqual({ all: 7, upToDate: 2, retrying: 1, behind: 2, paused: 2, unusable: 0 })
})
