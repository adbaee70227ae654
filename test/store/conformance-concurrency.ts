import { expect, onTestFinished, test } from 'vitest'
import type { EndpointSettings } from '../../src/domain/endpoint.js'
import type { EndpointStore } from '../../src/store/endpoint-store.js'
import { startMessagingProgram, type MessagingProgram } from '../support/messaging-program.js'
import type { StoreKind } from './conformance.js'

const HOOK: EndpointSettings = { url: 'https://ems.city.example/hook' }

/** What holds for every endpoint store that has several users at once, in one process and in several. */
export function testStoreConcurrently(kind: StoreKind): void {
  test('a write between an update’s read and its write is not lost: the change runs again', async () => {
    const location = await kind.newLocation()
    const [one, other] = [await openAt(location), await openAt(location)]
    await one.put('EMS', HOOK)
    const append = (store: EndpointStore, type: string): Promise<unknown> =>
      store.update('EMS', (current) => {
        runs++
        return { ...current, events: [...(current.events ?? []), type] }
      })
    let runs = 0

    await Promise.all([append(one, 'a'), append(other, 'b'), append(one, 'c'), append(other, 'd')])

    expect((await one.get('EMS'))?.events?.toSorted()).toEqual(['a', 'b', 'c', 'd'])
    expect(runs).toBeGreaterThan(4)
  })

  test('one of many that put the same new endpoint at once creates it', async () => {
    const location = await kind.newLocation()
    const stores = await Promise.all([1, 2, 3, 4].map(() => openAt(location)))

    const results = await Promise.all(stores.map((store) => store.put('EMS', HOOK)))

    expect(results.toSorted()).toEqual(['created', 'unchanged', 'unchanged', 'unchanged'])
  })

  test('4 processes that update one endpoint 25 times each lose no update', async () => {
    const location = await kind.newLocation()
    const store = await openAt(location)
    await store.put('EMS', { ...HOOK, authToken: 'Bearer abc123' })

    const writers = ['a', 'b', 'c', 'd'].map((prefix) =>
      start('append-events.ts', [location, 'EMS', prefix, '25']),
    )
    await runTogether(writers)

    const { events = [], ...endpoint } = (await store.get('EMS')) ?? {}
    for (const prefix of ['a', 'b', 'c', 'd']) {
      expect(events.filter((type) => type.startsWith(prefix))).toEqual(
        Array.from({ length: 25 }, (_, update) => `${prefix}.${update}`),
      )
    }
    expect(events).toHaveLength(100)
    expect(endpoint).toMatchObject({ ...HOOK, authToken: 'Bearer abc123' })
  })

  test('8 processes that open a brand-new database at once all get it ready', async () => {
    const locations = await Promise.all([1, 2, 3, 4, 5].map(() => kind.newLocation()))
    const names = Array.from({ length: 8 }, (_, index) => `EMS-${index}`)

    await runTogether(names.map((name) => start('open-new.ts', [name, ...locations])))

    for (const location of locations) {
      const store = await openAt(location)
      expect((await store.list()).map(({ name }) => name)).toEqual(names)
    }
  })

  async function openAt(location: string): Promise<EndpointStore> {
    const store = await kind.open(location)
    onTestFinished(() => store.close())
    return store
  }
}

function start(file: string, args: string[]): MessagingProgram {
  return startMessagingProgram(new URL(`fixtures/${file}`, import.meta.url), args)
}

/** Lets programs that say when they are ready begin at the same moment, and waits until all are done. */
async function runTogether(programs: MessagingProgram[]): Promise<void> {
  expect(await Promise.all(programs.map((program) => program.next()))).toEqual(programs.map(() => 'ready'))
  for (const program of programs) program.send('go')
  expect(await Promise.all(programs.map((program) => program.next()))).toEqual(programs.map(() => 'done'))
}
