import { expect, test } from 'vitest'
import { generateKey, KeyRing } from '../../src/encryption/key-ring.js'

const CONTEXT = { purpose: 'a test', associatedData: 'EMS/authToken' }
const TEXT = Buffer.from('Bearer abc123')

test('what one key of a ring has sealed opens, whatever its place', () => {
  const [one, other] = [generateKey(), generateKey()]
  const sealed = new KeyRing([one]).seal(TEXT, CONTEXT)

  expect(sealed.keyId).toBe(one.id)
  expect(Buffer.from(sealed.bytes).includes(TEXT)).toBe(false)
  expect(Buffer.from(new KeyRing([other, one]).unseal(sealed, CONTEXT))).toEqual(TEXT)
})

test('the same text is sealed otherwise each time', () => {
  const ring = new KeyRing([generateKey()])

  expect(ring.seal(TEXT, CONTEXT).bytes).not.toEqual(ring.seal(TEXT, CONTEXT).bytes)
})

test('every changed byte and every shorter text is refused', () => {
  const ring = new KeyRing([generateKey()])
  const { keyId, bytes } = ring.seal(TEXT, CONTEXT)

  for (let index = 0; index < bytes.length; index++) {
    const changed = Uint8Array.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    expect(() => ring.unseal({ keyId, bytes: changed }, CONTEXT)).toThrow(/cannot be opened/)
    expect(() => ring.unseal({ keyId, bytes: bytes.subarray(0, index) }, CONTEXT)).toThrow(/cannot be opened/)
  }
})

test('a text opens for its own purpose and place alone', () => {
  const ring = new KeyRing([generateKey()])
  const sealed = ring.seal(TEXT, CONTEXT)

  for (const context of [
    { ...CONTEXT, associatedData: 'Hospital/authToken' },
    { ...CONTEXT, purpose: 'another' },
  ]) {
    expect(() => ring.unseal(sealed, context)).toThrow(/cannot be opened/)
  }
})

test('a key that is not there is named, with those that are', () => {
  const sealed = new KeyRing([{ ...generateKey(), id: 'k1' }]).seal(TEXT, CONTEXT)

  expect(() => new KeyRing([{ ...generateKey(), id: 'k2' }]).unseal(sealed, CONTEXT)).toThrow(
    expect.objectContaining({ code: 'ENCRYPTION_KEY_MISSING', message: expect.stringMatching(/"k1".*"k2"/) }),
  )
})

test('a ring that can be read anew finds a key that came later', () => {
  const [before, after] = [generateKey(), generateKey()]
  let keys = [before]
  const ring = new KeyRing(keys, () => keys)
  keys = [after, before]
  const sealed = new KeyRing(keys).seal(TEXT, CONTEXT)

  expect(Buffer.from(ring.unseal(sealed, CONTEXT))).toEqual(TEXT)
  expect(ring.currentId).toBe(after.id)
})
