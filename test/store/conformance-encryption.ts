import { expect, onTestFinished, test } from 'vitest'
import { SECRET_SETTINGS, type EndpointSettings } from '../../src/domain/endpoint.js'
import { formatKeys, generateKey } from '../../src/encryption/key-ring.js'
import type { EndpointStore } from '../../src/store/endpoint-store.js'
import type { StoreKind } from './conformance.js'
import { TEST_KEYS } from './fixtures/open-at.js'
import { changeRows, textInTables } from './fixtures/tables.js'

const NEW_KEY = formatKeys([generateKey()])

const SETTINGS: EndpointSettings = {
  url: 'https://ems.city.example/hooks/sEcReT-path?key=sEcReT-query',
  auth: {
    type: 'oauth2',
    tokenUrl: 'https://id.example/',
    clientId: 'sEcReT-id',
    clientSecret: 'sEcReT-oauth',
  },
  headers: { 'x-api-key': 'sEcReT-header' },
  signingSecrets: [`whsec_${Buffer.from('sEcReT-signing-0123456789abcd').toString('base64')}`],
  events: ['policy.*'],
}

/** What holds for the secrets in every endpoint store, and for the keys that they are under. */
export function testStoreEncryption(kind: StoreKind): void {
  test('no secret and no part of a URL is in the database, in the history of its changes neither', async () => {
    const location = await kind.newLocation()
    const store = await open(location)
    await store.put('EMS', SETTINGS)
    await store.put('EMS', { ...SETTINGS, headers: { 'x-api-key': 'sEcReT-other' } })
    await store.put('EMS', { url: SETTINGS.url, authToken: 'Bearer sEcReT-token' })
    await store.remove('EMS')
    await store.put('EMS', SETTINGS)

    const text = await textInTables(location)
    expect(text).toContain('policy.*')
    expect(text).toContain('headers.x-api-key')
    for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const) {
      expect(text).not.toContain(Buffer.from('sEcReT').toString(encoding).replace(/=+$/, ''))
    }
    expect(text).not.toContain('ems.city.example')
  })

  test.each<[title: string, damage: (credentials: string, other: string) => string]>([
    ['changed', (text) => text.replace(/.(?="})/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['cut off', (text) => text.replace(/.{20}(?="})/, '')],
    ['emptied', (text) => text.replace(/(?<=\.)[^."]+(?="})/, '')],
    ['another endpoint’s', (_text, other) => other],
    ['another field’s', (text) => swapped(text)],
    ['put there in plain text', () => JSON.stringify({ url: SETTINGS.url, authToken: 'Bearer plain' })],
    ['made under a key that never was, by its name', (text) => text.replaceAll('.test.', '.nobody.')],
  ])('a ciphertext that was %s makes the endpoint unusable, and no other', async (_title, damage) => {
    const location = await kind.newLocation()
    const store = await open(location)
    const settings = { url: 'https://ems.city.example/', authToken: 'Bearer sEcReT' }
    await store.put('EMS', settings)
    await store.put('Hospital', { ...settings, authToken: 'Bearer hOsPiTaL' })
    await changeRows(location, ({ name, credentials }, rows) => {
      const other = rows.find((row) => row.name === 'Hospital')?.credentials ?? ''
      return name === 'EMS' ? damage(credentials, other) : credentials
    })

    const endpoint = await store.get('EMS')
    expect(endpoint).toMatchObject({ name: 'EMS', problem: expect.stringMatching(/EMS\/(url|authToken)/) })
    expect(endpoint).not.toHaveProperty('authToken')
    expect(await store.list()).toMatchObject([
      { name: 'EMS' },
      { name: 'Hospital', authToken: 'Bearer hOsPiTaL' },
    ])
    // What is left of it is no ground for an update: the credential would be lost.
    await expect(store.update('EMS', (current) => current)).rejects.toMatchObject({
      code: expect.stringMatching(/ENDPOINT_UNUSABLE|ENCRYPTION_KEY_MISSING/),
    })
  })

  test('an endpoint whose secret cannot be read is mended by registering it anew', async () => {
    const location = await kind.newLocation()
    const store = await open(location)
    await store.put('EMS', SETTINGS)
    await changeRows(location, () => '{"url":"v1.test.AAAA"}')
    expect(await store.get('EMS')).toHaveProperty('problem')

    expect(await store.put('EMS', SETTINGS)).toBe('updated')
    expect(await store.get('EMS')).toMatchObject(SETTINGS)
  })

  test('another key of the same name is refused at the opening, and one that is missing by its name', async () => {
    const location = await kind.newLocation()
    const store = await open(location)
    await store.put('EMS', SETTINGS)

    const wrong = `test:${Buffer.alloc(32, 'other').toString('base64')}`
    await expect(kind.open(location, wrong)).rejects.toMatchObject({
      code: 'ENCRYPTION_KEY_WRONG',
      message: expect.stringContaining('another key "test"'),
    })
    await expect(kind.open(location, NEW_KEY)).rejects.toMatchObject({
      code: 'ENCRYPTION_KEY_MISSING',
      message: expect.stringMatching(/credentials under the key "test".*SYNC_ENCRYPTION_KEYS/),
    })
  })

  test('a rotation puts everything under the new key, after which the old one is not needed', async () => {
    const location = await kind.newLocation()
    const before = await open(location)
    for (const name of ['A', 'B', 'C']) await before.put(name, { ...SETTINGS, events: [name] })
    const endpoints = await before.list()

    const rotating = await open(location, `${NEW_KEY},${TEST_KEYS}`)
    const progress: string[] = []
    const report = await rotating.reencrypt((done, total) => progress.push(`${done}/${total}`))

    const newId = NEW_KEY.split(':')[0]
    expect(report).toEqual({
      keyId: newId,
      endpoints: 3,
      reencrypted: 3,
      unreadable: [],
      retiredKeys: ['test'],
    })
    expect(progress).toEqual(['1/3', '2/3', '3/3'])
    const after = await open(location, NEW_KEY)
    expect(await after.list()).toEqual(endpoints)
    expect(await after.reencrypt()).toMatchObject({ reencrypted: 0, retiredKeys: [] })
    // Who has only the old key says so, and overwrites nothing.
    expect(await before.get('A')).toMatchObject({ missingKey: newId, events: ['A'] })
    await expect(before.put('A', SETTINGS)).rejects.toMatchObject({ code: 'ENCRYPTION_KEY_MISSING' })
    await expect(kind.open(location)).rejects.toMatchObject({ code: 'ENCRYPTION_KEY_MISSING' })
  })

  test('a rotation leaves what it cannot read as it is, and reports it', async () => {
    const location = await kind.newLocation()
    const store = await open(location)
    for (const name of ['A', 'B']) await store.put(name, SETTINGS)
    await changeRows(location, ({ name, credentials }) =>
      name === 'A' ? '{"url":"v1.test.AAAA"}' : credentials,
    )

    const report = await (await open(location, `${NEW_KEY},${TEST_KEYS}`)).reencrypt()

    expect(report).toMatchObject({ reencrypted: 1, unreadable: [{ endpoint: 'A' }], retiredKeys: [] })
  })

  test('every secret setting and the URL are encrypted', async () => {
    const location = await kind.newLocation()
    await (await open(location)).put('EMS', SETTINGS)

    await changeRows(location, ({ settings, credentials }) => {
      for (const field of [...SECRET_SETTINGS, 'url']) expect(JSON.parse(settings)).not.toHaveProperty(field)
      for (const text of Object.values(JSON.parse(credentials) as object)) expect(text).toMatch(/^v1\.test\./)
      return credentials
    })
  })

  async function open(location: string, keys?: string): Promise<EndpointStore> {
    const store = await kind.open(location, keys)
    onTestFinished(() => store.close())
    return store
  }
}

function swapped(credentials: string): string {
  const { url, authToken } = JSON.parse(credentials) as Record<string, string>
  return JSON.stringify({ url: authToken, authToken: url })
}
