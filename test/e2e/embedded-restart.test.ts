import { describe, expect, test } from 'vitest'
import { emitIn } from '../support/grouping.js'
import { openEmbedded } from '../support/separate-processes.js'
import { waitForDeliveries } from '../support/waiting.js'

const EVENTS = ['policy.approved']

describe.concurrent('the embedded system', { timeout: 120_000 }, () => {
  for (const [signal, grouping] of [
    ['SIGTERM', 'off'],
    ['SIGKILL', 'off'],
    ['SIGKILL', 'auto'],
  ] as const) {
    test(`delivers what waited when ${signal} ended it, after it is started again, with grouping ${grouping}`, async (context) => {
      const embedded = await openEmbedded(context)
      const down = await embedded.startReceiver(503)
      const healthy = await embedded.startReceiver()
      const first = await embedded.startEmbedded()
      const before = await embedded.connect({ grouping })
      await before.registerEndpoint('down', { url: down.url, events: EVENTS })
      await before.registerEndpoint('healthy', { url: healthy.url, events: EVENTS })
      const receipt = await emitIn(grouping, before, 'policy.approved', { id: 'SAFETY-7' })
      await waitForDeliveries(before, receipt, [
        { endpoint: 'down', state: 'attempting', attempts: 2 },
        { endpoint: 'healthy', state: 'delivered', attempts: 1 },
      ])
      await before.close()

      const exit = await first.end(signal)
      down.respondWith(200)
      await embedded.startEmbedded()

      expect(exit).toEqual(signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal })
      const after = await embedded.connect({ grouping })
      await waitForDeliveries(after, receipt, [{ state: 'delivered' }, { state: 'delivered' }])
      expect(await after.emit('policy.approved', { id: 'SAFETY-7' }, { id: receipt.eventId })).toEqual({
        eventId: receipt.eventId,
        workflowId: `policy.approved/${receipt.eventId}`,
        duplicate: true,
      })
      expect(healthy.requests).toHaveLength(1)
      expect(down.requests.at(-1)?.body).toEqual({ event: 'policy.approved', data: { id: 'SAFETY-7' } })
    })
  }

  test('says where it is, and stops with 0 when nothing waits', async (context) => {
    const embedded = await openEmbedded(context)
    const system = await embedded.startEmbedded()
    const syncService = await embedded.connect()

    expect(await syncService.emit('policy.approved', {})).toMatchObject({ duplicate: false })

    expect(system.output).toMatch(
      /^external-sync is ready\n {2}HTTP API +http:\/\/127\.0\.0\.1:\d+, .*\n {2}Status page +http.*\n {2}Temporal +127\.0\.0\.1:\d+\n/m,
    )
    expect(system.output).toContain(embedded.folder)
    expect(await system.end('SIGTERM')).toEqual({ code: 0, signal: null })
  })
})
