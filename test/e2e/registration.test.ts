import { expect, test } from 'vitest'
import { openProcesses } from '../support/separate-processes.js'
import { waitForDeliveries } from '../support/waiting.js'

test('an endpoint that another process registers gets the next event', async (context) => {
  const processes = await openProcesses(context)
  const syncService = await processes.connect()
  const receiver = await processes.startReceiver()
  await processes.startWorker()
  const before = await syncService.emit('policy.approved', { entity: 'policy/1' })
  await waitForDeliveries(syncService, before, [])

  const script = await processes.runScript(`
    import { SyncService } from './dist/client.js'
    const syncService = await SyncService.connect()
    const url = ${JSON.stringify(receiver.url)}
    console.log(await syncService.registerEndpoint('EMS-Scheduler', { url, authToken: 'Bearer abc123' }))
    await syncService.close()
  `)
  expect(await script.exited).toEqual({ code: 0, signal: null })
  expect(script.output).toBe('created\n')
  const receipt = await syncService.emit('policy.approved', { entity: 'policy/2' })

  await waitForDeliveries(syncService, receipt, [{ endpoint: 'EMS-Scheduler', state: 'delivered' }])
  expect(receiver.requests).toMatchObject([
    { body: { data: { entity: 'policy/2' } }, headers: { authorization: 'Bearer abc123' } },
  ])
})
