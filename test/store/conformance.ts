import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import type { EndpointSettings } from '../../src/domain/endpoint.js'
import type { EndpointStore } from '../../src/store/endpoint-store.js'
import { withDatabase } from './fixtures/tables.js'

/** A database of one kind, and how a store over it is opened. */
export interface StoreKind {
  /** Makes the location of a database that does not exist yet, such as a file; it goes with the test. */
  newLocation(): Promise<string>
  /** @param keys as `SYNC_ENCRYPTION_KEYS` has them. @default those that all stores of the tests share */
  open(location: string, keys?: string): Promise<EndpointStore>
}

const HOOK: EndpointSettings = { url: 'https://ems.city.example/hook' }
const FULL: EndpointSettings = {
  url: 'https://ems.city.example/höok?a=%20b',
  authToken: 'Bearer "ÿ£" abc123',
  events: ['policy.*', 'schedule.updated'],
}
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** What holds for every endpoint store. */
export function testStore(kind: StoreKind): void {
  test('a new store holds no endpoint', async () => {
    const store = await openNew()

    expect(await store.list()).toEqual([])
    expect(await store.get('EMS')).toBeUndefined()
  })

  test('an endpoint comes back as it was put, with a version and both times', async () => {
    const store = await openNew()
    const before = new Date().toISOString()

    expect(await store.put('EMS', FULL)).toBe('created')

    const endpoint = await store.get('EMS')
    expect(endpoint).toEqual({
      name: 'EMS',
      ...FULL,
      state: 'active',
      version: expect.stringMatching(UUID_V7),
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: endpoint?.createdAt,
    })
    expect(String(endpoint?.createdAt) >= before).toBe(true)
    expect(String(endpoint?.createdAt) <= new Date().toISOString()).toBe(true)
  })

  test('what is not set is absent', async () => {
    const store = await openNew()
    await store.put('EMS', HOOK)

    expect(Object.keys((await store.get('EMS')) ?? {}).toSorted()).toEqual([
      'createdAt',
      'name',
      'state',
      'updatedAt',
      'url',
      'version',
    ])
  })

  test('putting the same settings again changes nothing', async () => {
    const store = await openNew()
    await store.put('EMS', FULL)
    const before = await store.get('EMS')

    expect(await store.put('EMS', { ...FULL, events: [...(FULL.events ?? [])] })).toBe('unchanged')
    expect(await store.get('EMS')).toEqual(before)
  })

  test.each<[title: string, settings: EndpointSettings]>([
    ['the URL', { ...FULL, url: 'https://other.example/' }],
    ['the token', { ...FULL, authToken: 'Bearer other' }],
    ['the events', { ...FULL, events: ['policy.*'] }],
    ['the order of the events', { ...FULL, events: (FULL.events ?? []).toReversed() }],
    ['less', HOOK],
  ])('putting other settings replaces all of them and makes a new version: %s', async (_title, settings) => {
    const store = await openNew()
    await store.put('EMS', FULL)
    const before = await store.get('EMS')

    expect(await store.put('EMS', settings)).toBe('updated')

    const { version, updatedAt, ...rest } = (await store.get('EMS')) ?? {}
    expect(rest).toEqual({ name: 'EMS', state: 'active', createdAt: before?.createdAt, ...settings })
    expect(version).not.toBe(before?.version)
    expect(String(updatedAt) >= String(before?.updatedAt)).toBe(true)
  })

  test('settings that hold secrets come back as they were put', async () => {
    const store = await openNew()
    const settings: EndpointSettings = {
      url: 'https://ems.city.example/hook',
      auth: { type: 'oauth2', tokenUrl: 'https://id.city.example/token', clientId: 'a', clientSecret: 'b' },
      headers: { 'x-api-key': 'c' },
      signingSecrets: [`whsec_${Buffer.alloc(24).toString('base64')}`],
      retry: { slowIntervalMs: 60_000 },
      connector: { method: '"PUT"', path: '"/" & data.id' },
    }
    await store.put('EMS', settings)

    expect(await store.get('EMS')).toMatchObject(settings)
    expect(await store.put('EMS', { ...settings })).toBe('unchanged')
  })

  test('a change of state makes a new version and keeps the settings, and a change of settings the state', async () => {
    const store = await openNew()
    await store.put('EMS', FULL)
    const before = await store.get('EMS')

    expect(await store.setState('EMS', 'paused')).toBe('updated')
    expect(await store.setState('EMS', 'paused')).toBe('unchanged')
    expect(await store.setState('nobody', 'paused')).toBeUndefined()
    expect(await store.get('EMS')).toMatchObject({ ...FULL, state: 'paused' })
    expect((await store.get('EMS'))?.version).not.toBe(before?.version)

    expect(await store.put('EMS', HOOK)).toBe('updated')
    expect(await store.get('EMS')).toMatchObject({ ...HOOK, state: 'paused' })
  })

  test('an update changes a part and keeps the rest', async () => {
    const store = await openNew()
    await store.put('EMS', FULL)
    const before = await store.get('EMS')
    const given: EndpointSettings[] = []

    const result = await store.update('EMS', (current) => {
      given.push(current)
      return { ...current, url: HOOK.url }
    })

    expect(result).toBe('updated')
    expect(given).toEqual([FULL])
    expect(await store.get('EMS')).toMatchObject({ ...FULL, ...HOOK, createdAt: before?.createdAt })
    expect((await store.get('EMS'))?.version).not.toBe(before?.version)
  })

  test('an update that changes nothing makes no new version, and one of nobody is told so', async () => {
    const store = await openNew()
    await store.put('EMS', FULL)
    const before = await store.get('EMS')

    expect(await store.update('EMS', (current) => ({ ...current }))).toBe('unchanged')
    expect(await store.get('EMS')).toEqual(before)
    expect(await store.update('nobody', (current) => current)).toBeUndefined()
    expect(await store.list()).toHaveLength(1)
  })

  test('an update whose change throws changes nothing', async () => {
    const store = await openNew()
    await store.put('EMS', FULL)
    const before = await store.get('EMS')

    const update = store.update('EMS', () => {
      throw new Error('refused')
    })

    await expect(update).rejects.toThrow('refused')
    expect(await store.get('EMS')).toEqual(before)
  })

  test('endpoints are listed by name, in the order of the characters’ codes', async () => {
    const store = await openNew()
    for (const name of ['b', 'a.b', 'B', 'a', '9', 'a-b', 'A', 'a_b', '10']) await store.put(name, HOOK)

    const names = (await store.list()).map(({ name }) => name)
    expect(names).toEqual(['10', '9', 'A', 'B', 'a', 'a-b', 'a.b', 'a_b', 'b'])
  })

  test('names are told apart by case', async () => {
    const store = await openNew()
    await store.put('EMS', HOOK)

    expect(await store.get('ems')).toBeUndefined()
    expect(await store.put('ems', FULL)).toBe('created')
    expect(await store.get('EMS')).toMatchObject(HOOK)
  })

  test('a removed endpoint is gone, and may be put anew', async () => {
    const store = await openNew()
    await store.put('EMS', FULL)
    await store.put('Hospital', HOOK)
    const before = await store.get('EMS')

    expect(await store.remove('EMS')).toBe(true)
    expect(await store.remove('EMS')).toBe(false)
    expect((await store.list()).map(({ name }) => name)).toEqual(['Hospital'])
    expect(await store.update('EMS', (current) => current)).toBeUndefined()

    expect(await store.put('EMS', HOOK)).toBe('created')
    expect(await store.get('EMS')).toMatchObject(HOOK)
    expect((await store.get('EMS'))?.version).not.toBe(before?.version)
  })

  test('endpoints outlive the store, and a change of one store is seen by the next read of another', async () => {
    const location = await kind.newLocation()
    const first = await kind.open(location)
    await first.put('EMS', FULL)
    const before = await first.get('EMS')
    await first.close()

    const [one, other] = await Promise.all([openAt(location), openAt(location)])
    expect(await one.get('EMS')).toEqual(before)
    await one.put('EMS', HOOK)
    expect(await other.get('EMS')).toEqual(await one.get('EMS'))
    await other.remove('EMS')
    expect(await one.list()).toEqual([])
  })

  test('each change is recorded with who made it, when, and the fields, and no value', async () => {
    const store = await openNew()
    await store.put('EMS', FULL)
    await store.put('EMS', FULL)
    await store.update('EMS', (current) => ({
      ...current,
      authToken: 'Bearer other',
      retry: { slowIntervalMs: 1_000 },
    }))
    await store.put('EMS', { ...HOOK, retry: { slowIntervalMs: 2_000 } }, { actor: 'alice' })
    await store.setState('EMS', 'paused', { actor: 'bob' })
    await store.setState('EMS', 'active')
    await store.remove('EMS')
    await store.put('Hospital', HOOK)

    const history = await store.history('EMS')
    expect(history.toReversed()).toEqual(
      [
        { action: 'created', fields: ['url', 'authToken', 'events'] },
        { action: 'updated', fields: ['authToken', 'retry'] },
        { action: 'updated', fields: ['url', 'retry.slowIntervalMs', 'authToken', 'events'], actor: 'alice' },
        { action: 'paused', fields: ['state'], actor: 'bob' },
        { action: 'resumed', fields: ['state'] },
        { action: 'removed', fields: [] },
      ].map((change, index) => ({
        endpoint: 'EMS',
        revision: index + 1,
        at: expect.stringMatching(/Z$/),
        actor: 'tester',
        ...change,
        fields: expect.toSatisfy((fields: string[]) => sameElements(fields, change.fields)),
      })),
    )
    expect(await store.history('EMS', { before: 3, limit: 1 })).toMatchObject([{ revision: 2 }])
    expect(await store.history('nobody')).toEqual([])
  })

  test('the history is only ever appended to', async () => {
    const location = await kind.newLocation()
    await (await openAt(location)).put('EMS', HOOK)

    for (const statement of [
      "update endpoint_changes set actor = 'nobody'",
      'delete from endpoint_changes',
    ]) {
      const change = withDatabase(location, ({ db }) => sql.raw(statement).execute(db))
      await expect(change).rejects.toThrow('only ever appended to')
    }
  })

  test('changes since a revision are the endpoints that changed, the removed ones among them', async () => {
    const store = await openNew()
    expect(await store.changesSince(undefined)).toEqual({
      revision: 0,
      isComplete: true,
      endpoints: new Map(),
    })
    await store.put('A', HOOK)
    await store.put('B', HOOK)
    const { revision, endpoints } = await store.changesSince(undefined)
    expect([revision, ...endpoints.keys()]).toEqual([2, 'A', 'B'])
    expect(await store.changesSince(2)).toEqual({ revision: 2, isComplete: false, endpoints: new Map() })

    await store.put('B', FULL)
    await store.remove('A')
    await store.put('C', HOOK)
    const changes = await store.changesSince(2)

    expect(changes).toMatchObject({ revision: 5, isComplete: false })
    expect([...changes.endpoints.keys()].toSorted()).toEqual(['A', 'B', 'C'])
    expect(changes.endpoints.get('A')).toBeUndefined()
    expect(changes.endpoints.get('B')).toEqual(await store.get('B'))
    // A database that was put back to an earlier day.
    expect(await store.changesSince(99)).toMatchObject({ revision: 5, isComplete: true })
    expect(store.writtenRevision).toBe(5)
  })

  async function openNew(): Promise<EndpointStore> {
    return openAt(await kind.newLocation())
  }

  async function openAt(location: string): Promise<EndpointStore> {
    const store = await kind.open(location)
    onTestFinished(() => store.close())
    return store
  }
}

function sameElements(one: readonly string[], other: readonly string[]): boolean {
  return one.toSorted().join() === other.toSorted().join()
}
