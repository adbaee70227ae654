import { expect, test } from 'vitest'
import { subscribes, toView, type Endpoint } from '../../src/domain/endpoint.js'
import { parseEndpoint } from '../../src/domain/parse-endpoint.js'
import { refusalOf } from './problems.js'

const url = 'https://ems.city.example/hook'

test.each([
  ['policy.approved', 'policy.approved', true],
  ['policy.approved', 'policy.approved.again', false],
  ['policy.approved', 'policy.rejected', false],
  ['policy.approved', 'Policy.Approved', false],
  ['policy', 'policy', true],
  ['policy', 'policy.approved', false],
  ['policy.*', 'policy.approved', true],
  ['policy.*', 'policy.a.b', true],
  ['policy.*', 'policy', false],
  ['policy.*', 'policyx.y', false],
  ['policy.*', 'my.policy.approved', false],
  ['policy.a.*', 'policy.a.b', true],
  ['policy.a.*', 'policy.b', false],
])('an endpoint for %s and the event type %s: %s', (filter, eventType, expected) => {
  expect(subscribes({ events: [filter] }, eventType)).toBe(expected)
})

test('an endpoint without a filter gets every event, and one with several what any of them matches', () => {
  expect(subscribes({}, 'anything.at.all')).toBe(true)

  const events = ['schedule.updated', 'policy.*']
  expect(subscribes({ events }, 'schedule.updated')).toBe(true)
  expect(subscribes({ events }, 'policy.approved')).toBe(true)
  expect(subscribes({ events }, 'schedule.deleted')).toBe(false)
})

test('a filter may be as long as a type, and there may be 100', () => {
  const events = Array.from({ length: 100 }, () => `${'x'.repeat(100)}.*`)

  expect(parseEndpoint('EMS', { url, events }).events).toEqual(events)
})

test.each<[title: string, events: unknown, field: string]>([
  ['no list', 'policy.*', 'events'],
  ['an empty list', [], 'events'],
  ['more than 100', Array.from({ length: 101 }, () => 'a'), 'events'],
  ['a star alone', ['a', '*'], 'events[1]'],
  ['a star inside', ['policy.*.approved'], 'events[0]'],
  ['a star after letters', ['policy*'], 'events[0]'],
  ['an empty name', [''], 'events[0]'],
  ['a dot last', ['policy.'], 'events[0]'],
  ['a space', ['policy. approved'], 'events[0]'],
  ['103 characters', [`${'x'.repeat(101)}.*`], 'events[0]'],
  ['a number', [5], 'events[0]'],
  ['undefined', [undefined], 'events[0]'],
])('a filter is refused with %s', (_title, events, field) => {
  expect(refusalOf(() => parseEndpoint('EMS', { url, events })).problems).toMatchObject([{ field }])
})

test.each([
  [undefined, undefined],
  ['Bearer abc123', '…'],
  ['x'.repeat(11) + '5678', '…'],
  ['x'.repeat(12) + '5678', '…5678'],
  ['Bearer 0123456789abcdef', '…cdef'],
])('of the token %s a view shows %s', (authToken, hint) => {
  const stored: Endpoint = {
    name: 'EMS',
    url,
    events: ['policy.*'],
    state: 'active',
    version: 'v1',
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-02T00:00:00.000Z',
    ...(authToken !== undefined && { authToken }),
  }
  const { authToken: _authToken, ...shown } = stored

  expect(toView(stored)).toEqual({ ...shown, ...(hint !== undefined && { authTokenHint: hint }) })
  expect(toView(stored)).not.toHaveProperty('authToken')
})
