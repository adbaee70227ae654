import { assert, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { fitsOneWorkflow, splitIntoParts } from '../../src/domain/fan-out.js'

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

test('the names of those that one workflow makes wait fit into the attribute by which they are found', () => {
  const names = Array.from({ length: 60 }, (_, index) => `${index}`.padStart(64, 'n'))
  expect(fitsOneWorkflow(names, 500)).toBe(false)
  for (const part of splitIntoParts(names, 500)) expect(part.join('","').length).toBeLessThan(1_800)
})

test('an event of ordinary size goes to a hundred endpoints in one workflow, and to 10,000 in a hundred parts', () => {
  expect(fitsOneWorkflow(Array.from({ length: 100 }, String), 500)).toBe(true)
  expect(fitsOneWorkflow(Array.from({ length: 101 }, String), 500)).toBe(false)
  expect(splitIntoParts(Array.from({ length: 10_000 }, String), 500).map(({ length }) => length)).toEqual(
    Array.from({ length: 100 }, () => 100),
  )
})

function leavesOf(endpoints: readonly string[], eventBytes: number, idCharacters: number): string[] {
  const isLeaf = fitsOneWorkflow(endpoints, eventBytes)
  const parts = isLeaf ? [] : splitIntoParts(endpoints, eventBytes)
  expect(idCharacters).toBeLessThanOrEqual(ID_CHARACTERS)
  expect((isLeaf ? endpoints : parts).length * eventBytes).toBeLessThan(SUGGESTED_FROM_BYTES)
  if (isLeaf) return [...endpoints]
  return parts.flatMap((part, index) => leavesOf(part, eventBytes, idCharacters + `/${index + 1}`.length))
}
