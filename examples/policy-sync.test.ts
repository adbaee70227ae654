import { SyncTestEnvironment } from 'external-sync/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PolicyService } from './policy-service.js'

let environment: SyncTestEnvironment

// The first run on a machine fetches the Temporal server, which may take minutes.
beforeAll(async () => {
  environment = await SyncTestEnvironment.createLocal()
}, 600_000)
afterAll(() => environment.close())

test('an approved policy reaches EMS, although EMS is down at first', async () => {
  const { syncService } = environment
  const ems = await environment.startReceiver(503, 200)
  await syncService.registerEndpoint('EMS-Scheduler', { url: ems.url, authToken: 'Bearer test' })
  const policyService = new PolicyService()
  syncService.forward(policyService, 'approved', 'policy.approved')

  policyService.approve({ id: 'SAFETY-7', title: 'Helipad closed', content: 'No landings at night.' })

  const [first, second] = await ems.waitForRequests(2)
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
  expect(second?.headers.authorization).toBe('Bearer test')
  expect(second?.body).toEqual({
    event: 'policy.approved',
    data: { id: 'SAFETY-7', title: 'Helipad closed', content: 'No landings at night.' },
  })
})
