import { expect, test, vi } from 'vitest'
import { RecentEvents } from '../../src/client/recent-events.js'
import type { Receipt } from '../../src/client/start-events.js'
import type { SyncEvent } from '../../src/domain/event.js'

const GROUP = 'external-sync.group/1'

test('an event is accepted once, and a repetition gets its receipt as a duplicate', async () => {
  const recent = openRecent()
  const accept = accepting('1')

  const receipts = await Promise.all([recent.once(eventOf('1'), accept), recent.once(eventOf('1'), accept)])

  expect(receipts).toEqual([
    { eventId: '1', workflowId: GROUP },
    { eventId: '1', workflowId: GROUP, duplicate: true },
  ])
  expect(accept).toHaveBeenCalledTimes(1)
  expect(await recent.workflowOf({ type: 'policy.approved', id: '1' })).toBe(GROUP)
  expect(await recent.workflowOf({ type: 'policy.revised', id: '1' })).toBeUndefined()
})

test('other data under the id of an accepted event are a conflict', async () => {
  const recent = openRecent()
  await recent.once(eventOf('1'), accepting('1'))

  await expect(recent.once(eventOf('1', { other: true }), accepting('1'))).rejects.toMatchObject({
    code: 'EVENT_CONFLICT',
  })
})

test('a repetition of an event that was not accepted is accepted anew, with other data too', async () => {
  const recent = openRecent()
  const failed = recent.once(eventOf('1'), () => Promise.reject(new Error('Temporal is away')))
  const again = recent.once(eventOf('1', { other: true }), accepting('1'))

  await expect(failed).rejects.toThrow('Temporal is away')
  expect(await again).toEqual({ eventId: '1', workflowId: GROUP })
  expect(await recent.once(eventOf('1', { other: true }), accepting('1'))).toMatchObject({ duplicate: true })
})

test('of many repetitions of an event that was not accepted, one is accepted', async () => {
  const recent = openRecent()
  const accept = accepting('1').mockRejectedValueOnce(new Error('Temporal is away'))

  const outcomes = await Promise.allSettled(
    Array.from({ length: 5 }, () => recent.once(eventOf('1'), accept)),
  )

  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', ...Array(4).fill('fulfilled')])
  expect(accept).toHaveBeenCalledTimes(2)
})

test('an event whose workflow was cut short is accepted anew; one of which that is not known is not', async () => {
  const wasCutShort = vi.fn().mockResolvedValueOnce(true).mockRejectedValueOnce(new Error('away'))
  const recent = new RecentEvents(wasCutShort)
  await recent.once(eventOf('1'), accepting('1'))

  expect(await recent.once(eventOf('1'), accepting('1'))).not.toHaveProperty('duplicate')
  expect(await recent.once(eventOf('1'), accepting('1'))).toMatchObject({ duplicate: true })
})

test('so many events are remembered and no more: the oldest are forgotten', async () => {
  const recent = openRecent()
  const refused = recent.once(eventOf('refused'), () => Promise.reject(new Error('Temporal is away')))
  await expect(refused).rejects.toThrow('Temporal is away')
  for (let number = 0; number < 20_005; number += 1) {
    await recent.once(eventOf(`${number}`), accepting(`${number}`))
  }

  expect(await recent.workflowOf(eventOf('4'))).toBeUndefined()
  expect(await recent.workflowOf(eventOf('5'))).toBe(GROUP)
  expect(await recent.once(eventOf('0'), accepting('0'))).not.toHaveProperty('duplicate')
  expect(await recent.workflowOf(eventOf('5'))).toBeUndefined()
})

function openRecent(): RecentEvents {
  return new RecentEvents(() => Promise.resolve(false))
}

function eventOf(id: string, data: SyncEvent['data'] = {}): SyncEvent {
  return { type: 'policy.approved', id, time: '2026-01-01T00:00:00.000Z', data }
}

function accepting(eventId: string) {
  return vi.fn<() => Promise<Receipt>>().mockResolvedValue({ eventId, workflowId: GROUP })
}
