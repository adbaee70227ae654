import { expect, test } from 'vitest'
import { newDelivery, type Delivery } from '../../src/domain/delivery.js'
import { isInState, REPLAY_STATES, replayWorkflowIdOf } from '../../src/domain/replay.js'
import { eventOfWorkflow, isPart } from '../../src/domain/workflow-id.js'

test.for<[delivery: Delivery['state'] | undefined, states: readonly string[]]>([
  ['delivered', ['delivered']],
  ['discarded', ['discarded', 'undelivered']],
  [undefined, ['absent', 'undelivered']],
  ['attempting', []],
  ['waiting', []],
])('a delivery that is %s is chosen by %o', ([state, expected]) => {
  const delivery = state && { ...newDelivery('EMS'), state }

  expect(REPLAY_STATES.filter((wanted) => isInState(wanted, delivery))).toEqual(expected)
})

test('what a replay has sent is a part of its event, and the replay is of none', () => {
  const replay = replayWorkflowIdOf('0198c5a2-7b1e-7000-8000-000000000001')

  expect(eventOfWorkflow(`${replay}/policy.approved/1`)).toEqual({ type: 'policy.approved', id: '1' })
  expect(isPart(`${replay}/policy.approved/1`)).toBe(true)
  expect(eventOfWorkflow(replay)).toBeUndefined()
  expect(isPart(replay)).toBe(false)
})
