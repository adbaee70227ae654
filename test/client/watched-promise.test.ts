import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { reportIfUnobserved } from '../../src/client/watched-promise.js'
import { startMessagingProgram } from '../support/messaging-program.js'

const failure = new Error('refused')

/** Ways in which a caller takes a failure upon itself. */
test.each<[title: string, observe: (call: Promise<unknown>) => Promise<unknown>]>([
  [
    'await',
    async (call) => {
      await call
    },
  ],
  ['return from an async function', async (call) => call],
  [
    'then with a handler of failures',
    (call) =>
      call.then(undefined, (error: unknown) => {
        throw error
      }),
  ],
  ['then alone', (call) => call.then(() => undefined)],
  [
    'catch',
    (call) =>
      call.catch((error: unknown) => {
        throw error
      }),
  ],
  ['finally', (call) => call.finally(() => undefined)],
  ['Promise.all', (call) => Promise.all([call, Promise.resolve()])],
  ['Promise.race', (call) => Promise.race([call, new Promise(() => undefined)])],
  [
    'Promise.any',
    (call) =>
      Promise.any([call, Promise.reject(new Error('another'))]).catch((error: unknown) => {
        throw (error as AggregateError).errors[0]
      }),
  ],
  ['Promise.resolve', (call) => Promise.resolve(call)],
  [
    'a promise’s own resolution',
    (call) =>
      new Promise((resolve) => {
        resolve(call)
      }),
  ],
])('a failure that is observed by %s goes to the caller alone', async (_title, observe) => {
  const report = vi.fn<(error: unknown) => void>()

  await expect(observe(reportIfUnobserved(fail(), report))).rejects.toBe(failure)
  await turns()

  expect(report).not.toHaveBeenCalled()
})

test('Promise.allSettled observes too', async () => {
  const report = vi.fn<(error: unknown) => void>()

  expect(await Promise.allSettled([reportIfUnobserved(fail(), report)])).toEqual([
    { status: 'rejected', reason: failure },
  ])
  await turns()
  expect(report).not.toHaveBeenCalled()
})

test.each<[title: string, work: () => Promise<unknown>]>([
  ['at once', () => Promise.reject(failure)],
  ['in a microtask', fail],
  [
    'in a later turn',
    async () => {
      await turns()
      throw failure
    },
  ],
])(
  'a failure %s that nobody observes is reported once, and is no unhandled rejection',
  async (_title, work) => {
    const onUnhandled = vi.fn<(error: unknown) => void>()
    process.on('unhandledRejection', onUnhandled)
    onTestFinished(() => void process.off('unhandledRejection', onUnhandled))
    const report = vi.fn<(error: unknown) => void>()

    void reportIfUnobserved(work(), report)
    await turns()
    await turns()

    expect(report.mock.calls).toEqual([[failure]])
    expect(onUnhandled).not.toHaveBeenCalled()
  },
)

test('what is derived from an observed failure and not handled is an unhandled rejection, as ever', async () => {
  const onUnhandled = vi.fn<(error: unknown) => void>()
  const listeners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', onUnhandled)
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection')
    for (const listener of listeners) process.on('unhandledRejection', listener)
  })
  const report = vi.fn<(error: unknown) => void>()

  void reportIfUnobserved(fail(), report).then(() => undefined)
  await turns()

  expect(onUnhandled).toHaveBeenCalledOnce()
  expect(report).not.toHaveBeenCalled()
})

test('a success passes through and is never reported', async () => {
  const report = vi.fn<(error: unknown) => void>()

  void reportIfUnobserved(Promise.resolve(1), report)
  expect(await reportIfUnobserved(Promise.resolve(2), report)).toBe(2)
  await turns()

  expect(report).not.toHaveBeenCalled()
})

test('a process with failures that nobody awaits goes on, reports each once and ends well', async () => {
  const program = startMessagingProgram(new URL('fixtures/un-awaited-failures.ts', import.meta.url))

  expect(await program.ended).toEqual({
    code: 0,
    stdout: 'reported Error: at once\nreported Error: later\nstill running\nexit 0\n',
    stderr: '',
  })
})

async function fail(): Promise<never> {
  await Promise.resolve()
  throw failure
}

/** Some turns of the event loop: a report takes one. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTurn()
}
