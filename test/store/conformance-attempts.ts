import { expect, onTestFinished, test } from 'vitest'
import type { AttemptMinute } from '../../src/store/attempt-records.js'
import type { EndpointStore } from '../../src/store/endpoint-store.js'
import type { StoreKind } from './conformance.js'

const MINUTE = 29_400_000
const AT = MINUTE * 60_000

const minute = (some: Partial<AttemptMinute>): AttemptMinute => ({
  minute: MINUTE,
  endpoint: 'EMS',
  delivered: 0,
  failed: 0,
  latencyMsSum: 0,
  latencyMsMax: 0,
  ...some,
})

/** What holds for the records of attempts in every endpoint store. */
export function testAttemptRecords(kind: StoreKind): void {
  test('what several workers count of a minute adds up, beyond 32 bits', async () => {
    const location = await kind.newLocation()
    const workers = await Promise.all([open(location), open(location), open(location)])
    const huge = 2 ** 31
    await Promise.all(
      workers.flatMap((store, index) => [
        store.attempts.add({
          minutes: [
            minute({ delivered: 10, failed: 1, latencyMsSum: huge, latencyMsMax: 100 + index }),
            minute({ endpoint: 'Hospital', delivered: 1, latencyMsSum: 5, latencyMsMax: 5 }),
          ],
          latest: [],
        }),
        store.attempts.add({ minutes: [minute({ minute: MINUTE + 1, failed: 1 })], latest: [] }),
      ]),
    )

    const expected = [
      { minute: MINUTE, delivered: 33, failed: 3, latencyMsSum: 3 * huge + 15, latencyMsMax: 102 },
      { minute: MINUTE + 1, delivered: 0, failed: 3, latencyMsSum: 0, latencyMsMax: 0 },
    ]
    expect(await workers[0].attempts.minutes(MINUTE)).toEqual(expected)
    expect(await workers[1].attempts.minutes(MINUTE + 1)).toEqual(expected.slice(1))
  })

  test('minutes of more than two hours ago are forgotten', async () => {
    const store = await open(await kind.newLocation())
    await store.attempts.add({ minutes: [minute({ delivered: 1 })], latest: [] })
    await store.attempts.add({ minutes: [minute({ minute: MINUTE + 120, delivered: 1 })], latest: [] })
    expect(await store.attempts.minutes(0)).toHaveLength(2)
    await store.attempts.add({ minutes: [minute({ minute: MINUTE + 121, delivered: 1 })], latest: [] })
    expect((await store.attempts.minutes(0)).map((row) => row.minute)).toEqual([MINUTE + 120, MINUTE + 121])
  })

  test('the latest attempts of an endpoint are those of all workers, in whichever order they come', async () => {
    const store = await open(await kind.newLocation())
    const seen = async (some: object): Promise<unknown> => {
      await store.attempts.add({ minutes: [minute({})], latest: [{ endpoint: 'EMS', ...some }] })
      return (await store.attempts.latest())[0]
    }

    expect(await seen({ deliveredAt: AT })).toEqual({ endpoint: 'EMS', deliveredAt: AT })
    const failure = { failedAt: AT + 20, failingSince: AT + 10, failure: 'down' }
    expect(await seen(failure)).toEqual({ endpoint: 'EMS', deliveredAt: AT, ...failure })
    expect(await seen({ failedAt: AT + 15, failingSince: AT + 5, failure: 'retry' })).toEqual({
      endpoint: 'EMS',
      deliveredAt: AT,
      ...failure,
      failingSince: AT + 5,
    })
    expect(await seen({ deliveredAt: AT + 30 })).toEqual({
      endpoint: 'EMS',
      deliveredAt: AT + 30,
      failedAt: AT + 20,
      failure: 'down',
    })
  })

  test('a thousand endpoints are written at once, and one that is removed is forgotten', async () => {
    const store = await open(await kind.newLocation())
    await store.put('EMS-0', { url: 'https://ems.city.example/' })
    const names = Array.from({ length: 1_200 }, (_, index) => `EMS-${index}`)
    const batch = {
      minutes: names.map((endpoint) => minute({ endpoint, delivered: 1 })),
      latest: names.map((endpoint) => ({ endpoint, deliveredAt: AT })),
    }
    await store.attempts.add(batch)
    await store.attempts.add(batch)

    expect(await store.attempts.minutes(0)).toMatchObject([{ delivered: 2_400 }])
    expect(await store.attempts.latest()).toHaveLength(1_200)
    await store.remove('EMS-0')
    expect(await store.attempts.latest()).toHaveLength(1_199)
  })

  async function open(location: string): Promise<EndpointStore> {
    const store = await kind.open(location)
    onTestFinished(() => store.close())
    return store
  }
}
