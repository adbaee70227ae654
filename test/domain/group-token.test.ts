import { expect, test } from 'vitest'
import { groupTokenOf, MAX_GROUP_EVENTS } from '../../src/domain/group-token.js'

test('a token is short and in lower case, the same for the same event and another for another', () => {
  const events = Array.from({ length: 10_000 }, (_, number) => ({ type: 'policy.approved', id: `${number}` }))
  const tokens = events.map(groupTokenOf)

  for (const token of tokens) expect(token).toMatch(/^[0-9a-z]{7}$/)
  expect(new Set(tokens).size).toBe(events.length)
  expect(events.map(groupTokenOf)).toEqual(tokens)
})

test('the same id of another type has another token', () => {
  expect(groupTokenOf({ type: 'policy.approved', id: '7' })).not.toBe(
    groupTokenOf({ type: 'policy.revised', id: '7' }),
  )
})

test('a token stays what it is, as groups are found by it for as long as Temporal keeps them', () => {
  expect(groupTokenOf({ type: 'policy.approved', id: 'SAFETY-7' })).toBe('afx2953')
})

test('the tokens of a group fit into the 2 KiB that a search attribute takes', () => {
  const tokens = Array.from({ length: MAX_GROUP_EVENTS }, (_, number) =>
    groupTokenOf({ type: 'policy.approved', id: `${number}` }),
  )

  expect(JSON.stringify(tokens).length).toBeLessThanOrEqual(2_048)
})
