import { expect, test, vi } from 'vitest'
import { createAttemptRecorder } from '../../src/activities/attempt-recorder.js'
import type { AttemptBatch } from '../../src/store/attempt-records.js'
import { recordingLogger } from '../support/recording-logger.js'

const AT = Date.parse('2026-11-25T12:00:10Z')
const MINUTE = AT / 60_000 - 10 / 60

function openRecorder(add: (batch: AttemptBatch) => Promise<void>) {
  const { logger, lines } = recordingLogger()
  const attempts = { add: vi.fn(add), minutes: () => Promise.resolve([]), latest: () => Promise.resolve([]) }
  return {
    recorder: createAttemptRecorder({ attempts, logger, writeSpacingMs: 1_000 }),
    add: attempts.add,
    lines,
  }
}

const delivered = { endpoint: 'EMS', outcome: 'delivered', startedAt: AT, durationMs: 20 } as const
const failed = { endpoint: 'EMS', outcome: 'retry', startedAt: AT + 1_000, durationMs: 5 } as const

test('many attempts are one small write, and nothing is written where there were none', async () => {
  const { recorder, add } = openRecorder(() => Promise.resolve())
  await recorder.close()
  expect(add).not.toHaveBeenCalled()

  for (let index = 0; index < 1_000; index += 1) recorder.observe(delivered)
  recorder.observe({ ...delivered, durationMs: 30 })
  recorder.observe(failed)
  recorder.observe({ ...failed, startedAt: AT + 2_000, outcome: 'down' })
  await recorder.close()

  expect(add.mock.calls).toEqual([
    [
      {
        minutes: [
          {
            minute: MINUTE,
            endpoint: 'EMS',
            delivered: 1_001,
            failed: 2,
            latencyMsSum: 20_030,
            latencyMsMax: 30,
          },
        ],
        latest: [
          {
            endpoint: 'EMS',
            deliveredAt: AT + 30,
            failedAt: AT + 2_005,
            failingSince: AT + 1_005,
            failure: 'down',
          },
        ],
      },
    ],
  ])
})

test('writes are some time apart', async () => {
  const { recorder, add } = openRecorder(() => Promise.resolve())
  recorder.observe(delivered)
  await vi.waitFor(() => expect(add).toHaveBeenCalledTimes(1))
  const firstAt = performance.now()
  recorder.observe(delivered)
  await vi.waitFor(() => expect(add).toHaveBeenCalledTimes(2), { timeout: 5_000 })
  expect(performance.now() - firstAt).toBeGreaterThan(900)
  await recorder.close()
  expect(add).toHaveBeenCalledTimes(2)
})

test('a write that fails is logged once, and made up for by a later one', async () => {
  let isAway = true
  const { recorder, add, lines } = openRecorder(() =>
    isAway ? Promise.reject(new Error('away')) : Promise.resolve(),
  )
  recorder.observe(delivered)
  await vi.waitFor(() => expect(add).toHaveBeenCalledTimes(2), { timeout: 5_000 })
  recorder.observe({ ...delivered, durationMs: 50 })
  isAway = false
  await recorder.close()

  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'attempts could not be counted; deliveries go on',
  ])
  expect(add.mock.lastCall).toMatchObject([
    {
      minutes: [{ delivered: 2, latencyMsSum: 70, latencyMsMax: 50 }],
      latest: [{ endpoint: 'EMS', deliveredAt: AT + 50 }],
    },
  ])
})
