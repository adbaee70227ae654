import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { limitTime } from '../../src/delivery/time-limit.js'

test('a limit passes while the process waits', async () => {
  const startedAt = performance.now()
  await new Promise<void>((resolve) => limitTime(200, resolve))

  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195)
})

test('a limit that was ended does not pass', async () => {
  let hasEnded = false
  const end = limitTime(40, () => (hasEnded = true))
  await sleep(20)
  end()
  await sleep(60)

  expect(hasEnded).toBe(false)
})

test('of the time in which the process stands still, a part of the limit counts at most', async () => {
  let endedAt: number | undefined
  const ended = new Promise<void>((resolve) => {
    limitTime(400, () => {
      endedAt = performance.now()
      resolve()
    })
  })
  const stopUntil = performance.now() + 1_000
  while (performance.now() < stopUntil);
  await ended

  expect(endedAt! - stopUntil).toBeGreaterThanOrEqual(295)
})
