import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createBusyMeter } from '../../src/activities/busy-meter.js'

test('a process that computes is busy, one that waits is not', async () => {
  const isBusy = createBusyMeter()
  await sleep(200)
  expect(isBusy()).toBe(false)

  const until = performance.now() + 400
  while (performance.now() < until) await new Promise(setImmediate)
  expect(isBusy()).toBe(true)

  await sleep(400)
  expect(isBusy()).toBe(false)
})
