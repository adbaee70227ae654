import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setInterval } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createEnvironment } from '../support/environment.js'
import { emitIn, GROUPINGS } from '../support/grouping.js'
import { DEFAULT_ATTEMPT_LIMITS } from '../../src/domain/attempt-limits.js'
import type { Respond } from '../../src/testing/index.js'
import { waitForDeliveries } from '../support/waiting.js'

const hang: Respond = () => undefined
const closeConnection: Respond = (_, response) => void response.destroy()
const resetConnection: Respond = (_, response) => void response.socket?.resetAndDestroy()

describe.concurrent.for(GROUPINGS)('with grouping %s, a receiver that', { timeout: 120_000 }, (grouping) => {
  test('answers 503 five times and then 200 gets the event at the sixth attempt', async () => {
    await using environment = await createEnvironment({ grouping })
    const { syncService } = environment
    const receiver = await environment.startReceiver(503, 503, 503, 503, 503, 200)
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: ['policy.approved'] })

    const receipt = await emitIn(grouping, syncService, 'policy.approved', {})

    expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 6 }])
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id'])
    expect(ids).toEqual(Array(6).fill(receipt.eventId))
  })

  test('is down gets the event when it is up again', async () => {
    await using environment = await createEnvironment({ grouping })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    await receiver.stop()
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: ['policy.approved'] })

    const receipt = await emitIn(grouping, syncService, 'policy.approved', { id: 'SAFETY-7' })
    const [refused] = await waitForDeliveries(syncService, receipt, [{ state: 'attempting', attempts: 2 }])
    await receiver.listen()

    expect(refused?.lastError).toBe('ECONNREFUSED: the connection was refused')
    expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered' }])
    expect(receiver.requests).toMatchObject([
      { body: { event: 'policy.approved', data: { id: 'SAFETY-7' } } },
    ])
  })

  test('closes or resets the connection gets the event again', async () => {
    await using environment = await createEnvironment({ grouping })
    const { syncService } = environment
    const receiver = await environment.startReceiver(closeConnection, resetConnection, 200)
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: ['policy.approved'] })

    const receipt = await emitIn(grouping, syncService, 'policy.approved', {})

    expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 3 }])
  })
})

describe.concurrent('a receiver that', { timeout: 120_000 }, () => {
  test('never answers loses the attempt at the time limit, and gets the next', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    const receiver = await environment.startReceiver(hang, hang, 200)
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })

    const receipt = await syncService.emit('policy.approved', {})

    expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 3 }])
    // The first attempt holds the workflow task, and so has a shorter limit of its own.
    const [, first, second] = await receiver.waitForRequests(3)
    const waitedMs = Number(second?.receivedAt) - Number(first?.receivedAt)
    expect(waitedMs).toBeGreaterThanOrEqual(DEFAULT_ATTEMPT_LIMITS.headersTimeoutMs)
    expect(waitedMs).toBeLessThan(DEFAULT_ATTEMPT_LIMITS.headersTimeoutMs + 10_000)
  })

  test('answers byte by byte has got the event', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    await using receiver = await startDrippingReceiver('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })

    const receipt = await syncService.emit('policy.approved', {})

    expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 1 }])
  })

  test.for([
    ['of 1 MB', 1_000_000],
    ['without an end', Infinity],
  ] as const)(
    'answers with a body %s has got the event, and little of the body is read',
    async ([, bytes]) => {
      await using environment = await createEnvironment()
      const { syncService } = environment
      let sentBytes: Promise<number> | undefined
      const receiver = await environment.startReceiver((_, response) => {
        sentBytes = bytesUntilClose(response)
        void pipeline(bodyOf(bytes), response).catch(() => undefined)
      })
      await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })

      const receipt = await syncService.emit('policy.approved', {})

      expect(await environment.waitForDeliveries(receipt)).toMatchObject([
        { state: 'delivered', attempts: 1 },
      ])
      expect(await sentBytes).toBeLessThan(10_000_000) // the buffers of both sockets
    },
  )
})

function bytesUntilClose({ socket }: ServerResponse): Promise<number> {
  return new Promise((resolve) => socket?.on('close', () => resolve(socket.bytesWritten)))
}

function* bodyOf(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(10_000, 'x')
  for (let written = 0; written < bytes; written += chunk.length) yield chunk
}

async function startDrippingReceiver(response: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      void (async () => {
        let sent = 0
        for await (const _ of setInterval(40)) {
          if (sent === response.length) break
          socket.write(response.charAt(sent++))
        }
        socket.end()
      })()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}
