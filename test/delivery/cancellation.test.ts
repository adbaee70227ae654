import { getEventListeners } from 'node:events'
import { expect, test, vi } from 'vitest'
import { Cancellation, cancellationBy } from '../../src/delivery/cancellation.js'

const REASON = new Error('the worker stops')

test('it tells each that listens, once, and those that come later at once', () => {
  const cancellation = new Cancellation()
  const [first, ignoring, late] = [vi.fn(), vi.fn(), vi.fn()]
  cancellation.onCancelled(first)
  cancellation.onCancelled(ignoring)()
  cancellation.cancel(REASON)
  cancellation.cancel(new Error('once more'))
  cancellation.onCancelled(late)
  expect(first.mock.calls).toEqual([[REASON]])
  expect(late.mock.calls).toEqual([[REASON]])
  expect(ignoring).not.toHaveBeenCalled()
  expect(cancellation.reason).toBe(REASON)
})

test('what is awaited until then settles by itself or with the reason', async () => {
  const cancellation = new Cancellation()
  await expect(cancellation.until(Promise.resolve('done'))).resolves.toBe('done')
  await expect(cancellation.until(Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  const hanging = cancellation.until(new Promise(() => undefined))
  cancellation.cancel(REASON)
  await expect(hanging).rejects.toBe(REASON)
  await expect(cancellation.until(new Promise(() => undefined))).rejects.toBe(REASON)
})

test('all that a signal cancels share one listener of it', () => {
  const controller = new AbortController()
  const listeners = Array.from({ length: 200 }, () => vi.fn())
  for (const listener of listeners) cancellationBy(controller.signal).onCancelled(listener)
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
  controller.abort(REASON)
  for (const listener of listeners) expect(listener.mock.calls).toEqual([[REASON]])
  expect(cancellationBy(controller.signal).reason).toBe(REASON)
})

test('a signal that is aborted already has cancelled', () => {
  expect(cancellationBy(AbortSignal.abort(REASON)).reason).toBe(REASON)
})
