import { defaultPayloadConverter, type Payload } from '@temporalio/common'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { generateKey, type KeyRing } from '../../src/encryption/key-ring.js'
import { createPayloadCodec } from '../../src/temporal/payload-codec.js'
import { keyRing } from '../support/encryption.js'
import { textIn } from '../support/text-in.js'

const MARKER = 'Nobody enters.'

test('a payload comes back as it was, its metadata too', async () => {
  const codec = codecWith(keyRing())
  const anyPayload = fc.record({
    metadata: fc.dictionary(fc.stringMatching(/^[a-z-]{1,12}$/), fc.uint8Array()),
    data: fc.uint8Array({ maxLength: 2_000 }),
  })

  await fc.assert(
    fc.asyncProperty(fc.array(anyPayload), async (payloads) => {
      const decoded = await codec.decode(await codec.encode(payloads))
      expect(decoded.map(plain)).toEqual(payloads.map(plain))
    }),
  )
})

test('an encrypted payload shows its key’s id and nothing of what is in it', async () => {
  const keys = keyRing()
  const [payload] = await codecWith(keys).encode([payloadOf({ content: MARKER })])

  expect(textIn(payload)).not.toContain(MARKER)
  expect(textIn(payload)).not.toContain('json/plain')
  expect(Object.entries(payload?.metadata ?? {}).map(([name, value]) => [name, String(value)])).toEqual([
    ['encoding', 'binary/encrypted'],
    ['encryption-key-id', keys.currentId],
  ])
})

test('the same payload is never encrypted the same way', async () => {
  const codec = codecWith(keyRing())

  const [one, other] = await codec.encode([payloadOf(MARKER), payloadOf(MARKER)])

  expect(one?.data).not.toEqual(other?.data)
})

test('what is encrypted already is not encrypted again', async () => {
  const codec = codecWith(keyRing())
  const encrypted = await codec.encode([payloadOf(MARKER)])

  expect(await codec.encode(encrypted)).toEqual(encrypted)
})

test('without encryption, payloads pass as they are, and encrypted ones are decrypted', async () => {
  const keys = keyRing()
  const payload = payloadOf(MARKER)
  const off = createPayloadCodec({ keys: () => keys, encrypt: false })

  expect(await off.encode([payload])).toEqual([payload])
  const [passed, decrypted] = await off.decode([payload, ...(await codecWith(keys).encode([payload]))])
  expect(passed).toEqual(payload)
  expect(valueOf(decrypted)).toBe(MARKER)
})

test('a system that encrypts nothing opens no keys', async () => {
  const codec = createPayloadCodec({ keys: () => expect.unreachable(), encrypt: false })

  expect(await codec.decode(await codec.encode([payloadOf(MARKER)]))).toHaveLength(1)
})

test('the first key encrypts, and the others still decrypt', async () => {
  const [older, newer] = [generateKey(), generateKey()]
  const before = await codecWith(keyRing(older)).encode([payloadOf('before')])
  const rotated = codecWith(keyRing(newer, older))
  const after = await rotated.encode([payloadOf('after')])

  expect(textIn(after)).toContain(newer.id)
  expect((await rotated.decode([...before, ...after])).map(valueOf)).toEqual(['before', 'after'])
})

describe('a payload that cannot be opened says why, and shows nothing', () => {
  test('its key is missing', async () => {
    const [older, newer] = [generateKey(), generateKey()]
    const encrypted = await codecWith(keyRing(older)).encode([payloadOf(MARKER)])

    await expect(codecWith(keyRing(newer)).decode(encrypted)).rejects.toMatchObject({
      code: 'ENCRYPTION_KEY_MISSING',
      message: expect.stringContaining(`"${older.id}"`),
    })
  })

  test('another key has its id', async () => {
    const key = generateKey()
    const encrypted = await codecWith(keyRing(key)).encode([payloadOf(MARKER)])
    const other = { ...generateKey(), id: key.id }

    await expect(codecWith(keyRing(other)).decode(encrypted)).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
    })
  })

  test('any of its bytes was changed', async () => {
    const codec = codecWith(keyRing())
    const [encrypted] = await codec.encode([payloadOf(MARKER)])
    const length = encrypted?.data?.length ?? 0

    for (let at = 0; at < length; at += 1) {
      const data = Buffer.from(encrypted?.data ?? [])
      data.writeUInt8(data.readUInt8(at) ^ 1, at)
      // oxlint-disable-next-line no-await-in-loop
      await expect(codec.decode([{ ...encrypted, data }])).rejects.toMatchObject({
        code: 'DECRYPTION_FAILED',
      })
    }
    expect(length).toBeGreaterThan(48)
  })

  test.for<[name: string, change: (payload: Payload) => Payload]>([
    ['it was cut', (payload) => ({ ...payload, data: payload.data?.subarray(0, 40) ?? null })],
    ['it has no bytes', ({ metadata }) => ({ metadata: metadata ?? null })],
  ])('%s', async ([, change]) => {
    const codec = codecWith(keyRing())
    const encrypted = await codec.encode([payloadOf(MARKER)])

    await expect(codec.decode(encrypted.map(change))).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' })
  })

  test('it is no payload but another text under the same key', async () => {
    const keys = keyRing()
    const [encrypted] = await codecWith(keys).encode([payloadOf(MARKER)])
    const purpose = { purpose: 'external-sync/credentials', associatedData: 'binary/encrypted' }
    const data = keys.seal(Buffer.from('secret'), purpose).bytes

    await expect(codecWith(keys).decode([{ ...encrypted, data }])).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
    })
  })
})

function codecWith(keys: KeyRing) {
  return createPayloadCodec({ keys: () => keys, encrypt: true })
}

function payloadOf(value: unknown): Payload {
  return defaultPayloadConverter.toPayload(value)
}

function valueOf(payload: Payload | undefined): unknown {
  return payload && defaultPayloadConverter.fromPayload(payload)
}

function plain({ metadata, data }: Payload) {
  return {
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, hex(value)])),
    data: hex(data),
  }
}

function hex(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
