import { expect, test } from 'vitest'
import { newDelivery, type Delivery } from '../../src/domain/delivery.js'
import { waitingAttributes } from '../../src/workflows/waiting-attributes.js'

const waiting = (count: number): Delivery[] =>
  Array.from({ length: count }, (_, number) => ({
    ...newDelivery(`Endpoint-${number}-`.padEnd(64, 'x')),
    state: 'waiting',
    reason: 'down',
  }))

test('as many names as fit into a search attribute are listed, and all are counted', () => {
  const [names, count] = waitingAttributes(waiting(500)).updates.map(({ value }) => value)

  expect(JSON.stringify(names).length).toBeLessThan(2_048)
  expect((names as string[]).length).toBeGreaterThan(20)
  expect(count).toBe(500)
})

test('only what waits is listed, and nothing at all where nothing waits', () => {
  const [first] = waiting(1)

  expect(waitingAttributes([newDelivery('EMS'), ...waiting(1)]).updates.map(({ value }) => value)).toEqual([
    [first?.endpoint],
    1,
  ])
  expect(waitingAttributes([newDelivery('EMS')]).updates.map(({ value }) => value)).toEqual([null, 0])
})
