import { expect, onTestFinished, test } from 'vitest'
import type { EndpointSettings } from '../../src/domain/endpoint.js'
import type { EndpointStore } from '../../src/store/endpoint-store.js'
import { startMessagingProgram, type MessagingProgram } from '../support/messaging-program.js'
import type { StoreKind } from './conformance.js'

const HOOK: EndpointSettings = { url: 'https://ems.city.example/hook' }

/** What holds for every endpoint store that has several users at once, in one process and in several. */
export function testStoreConcurrently(kind: StoreKind): void {
  test('updates of one endpoint at the same time take turns, and none is lost', async () => {
    const location = await kind.newLocation()
    const [one, other] = [await openAt(location), await openAt(location)]
    await one.put('EMS', HOOK)

    await Promise.all([append(one, 'a'), append(other, 'b'), append(one, 'c'), append(other, 'd')])

    expect((await one.get('EMS'))?.events?.toSorted()).toEqual(['a', 'b', 'c', 'd'])
    expect((await one.history('EMS')).map(({ revision }) => revision)).toEqual([5, 4, 3, 2, 1])
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
    const revisions = (await store.history('EMS', { limit: 200 })).map(({ revision }) => revision)
    expect(revisions).toEqual(Array.from({ length: 101 }, (_, index) => 101 - index))
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

  // Closing a file by any descriptor drops all locks that the process has on it: SQLite files broke by that.
  test('6 processes that open a store, write and close it 15 times each lose nothing', async () => {
    const location = await kind.newLocation()
    const store = await openAt(location)

    await runTogether(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((prefix) => start('open-write-close.ts', [location, prefix, '15'])),
    )

    expect(await store.list()).toHaveLength(90)
    expect((await store.changesSince(undefined)).revision).toBe(90)
  })

  async function openAt(location: string): Promise<EndpointStore> {
    const store = await kind.open(location)
    onTestFinished(() => store.close())
    return store
  }
}

function append(store: EndpointStore, type: string): Promise<unknown> {
  return store.update('EMS', (current) => ({ ...current, events: [...(current.events ?? []), type] }))
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
