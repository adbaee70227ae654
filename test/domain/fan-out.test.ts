import { assert, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { deliveriesPerWorkflow, splitIntoParts } from '../../src/domain/fan-out.js'

/** From where Temporal suggests to continue as new, in bytes. */
const SUGGESTED_FROM_BYTES = 4 * 1024 * 1024
/** What is between a workflow's id of the greatest length and that of its last part, in characters. */
const ID_CHARACTERS = 255 - 229

test('whatever the event and its endpoints, each is in one part once, in order, and no history copies too much', () => {
  const eventBytes = integer({ min: 50, max: 1024 * 1024 + 500 })
  assert(
    property(eventBytes, integer({ min: 1, max: 10_000 }), (bytes, count) => {
      const endpoints = Array.from({ length: count }, (_, index) => `endpoint-${index}`)
      expect(leavesOf(endpoints, bytes, 0).join()).toBe(endpoints.join())
    }),
    { numRuns: 15 },
  )
})

test('an event of ordinary size goes to a hundred endpoints in one workflow, and to 10,000 in a hundred parts', () => {
  expect(deliveriesPerWorkflow(500)).toBe(100)
  expect(splitIntoParts(Array.from({ length: 10_000 }, String), 500).map(({ length }) => length)).toEqual(
    Array.from({ length: 100 }, () => 100),
  )
})

function leavesOf(endpoints: readonly string[], eventBytes: number, idCharacters: number): string[] {
  const isLeaf = endpoints.length <= deliveriesPerWorkflow(eventBytes)
  const parts = isLeaf ? [] : splitIntoParts(endpoints, eventBytes)
  expect(idCharacters).toBeLessThanOrEqual(ID_CHARACTERS)
  expect((isLeaf ? endpoints : parts).length * eventBytes).toBeLessThan(SUGGESTED_FROM_BYTES)
  if (isLeaf) return [...endpoints]
  return parts.flatMap((part, index) => leavesOf(part, eventBytes, idCharacters + `/${index + 1}`.length))
}
