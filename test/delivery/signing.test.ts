import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { signatureOf } from '../../src/delivery/signing.js'
import { attempt, openReceiver, openSender } from '../support/attempts.js'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const OTHER_SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: '1614265330', body: '{"test": 2432232314}' }

test('the vector of the official libraries', () => {
  expect(signatureOf([SECRET], message)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('the ed25519 vector of RFC 8032, section 7.1, as the key of a signature', () => {
  const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
  const publicKey = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')
  for (const key of [seed, Buffer.concat([seed, publicKey])]) {
    const signature = signatureOf([`whsk_${key.toString('base64')}`], message)

    expect(signature).toMatch(/^v1a,/)
    expect(verifies(signature, rawPublicKey(publicKey))).toBe(true)
    expect(verifies(signature, rawPublicKey(publicKey), { ...message, body: '{}' })).toBe(false)
  }
})

test('an ed25519 key that Node has made verifies with its public key', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)

  expect(verifies(signatureOf([`whsk_${seed.toString('base64')}`], message), publicKey)).toBe(true)
})

test('the official library verifies a request with either of two secrets, and with no third', async () => {
  const receiver = await openReceiver()
  await attempt(openSender(), { url: receiver.url, signingSecrets: [SECRET, OTHER_SECRET] })

  const [request] = receiver.requests
  const headers = request?.headers as Record<string, string>
  expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
  for (const secret of [SECRET, OTHER_SECRET]) {
    expect(new Webhook(secret).verify(request?.text ?? '', headers)).toEqual(request?.body)
  }
  const third = new Webhook(`whsec_${Buffer.alloc(24, 8).toString('base64')}`)
  expect(() => third.verify(request?.text ?? '', headers)).toThrow('No matching signature')
  expect(() => new Webhook(SECRET).verify(`${request?.text} `, headers)).toThrow('No matching signature')
})

test('a body beyond ASCII and no body at all are signed as they are sent', async () => {
  const receiver = await openReceiver()
  const sender = openSender()
  const settings = { url: receiver.url, signingSecrets: [SECRET] }
  await attempt(sender, { ...settings, connector: { body: '"Größe 🚑"' } })
  await attempt(sender, { ...settings, connector: { method: '"DELETE"' } })

  expect(receiver.requests.map(({ text }) => text)).toEqual(['"Größe 🚑"', ''])
  for (const { text, headers } of receiver.requests) {
    expect(() => new Webhook(SECRET).verify(text, headers as Record<string, string>)).not.toThrow()
  }
})

test('the signature is over the time of this attempt, not of the event', async () => {
  const receiver = await openReceiver()
  let now = new Date('2026-02-03T04:05:06Z')
  const sender = openSender({ now: () => now })
  await attempt(sender, { url: receiver.url, signingSecrets: [SECRET] })
  now = new Date('2026-02-03T05:05:06Z')
  await attempt(sender, { url: receiver.url, signingSecrets: [SECRET] })

  const [first, second] = receiver.requests.map(({ headers }) => headers)
  expect(first?.['webhook-timestamp']).toBe('1770091506')
  expect(second?.['webhook-timestamp']).toBe('1770095106')
  expect(first?.['webhook-id']).toBe(second?.['webhook-id'])
  expect(first?.['webhook-signature']).not.toBe(second?.['webhook-signature'])
})

test('without a secret there is no signature', async () => {
  const receiver = await openReceiver()
  await attempt(openSender(), { url: receiver.url })

  expect(receiver.requests[0]?.headers).not.toHaveProperty('webhook-signature')
})

function rawPublicKey(bytes: Buffer) {
  const prefix = Buffer.from('302a300506032b6570032100', 'hex')
  return createPublicKey({ key: Buffer.concat([prefix, bytes]), format: 'der', type: 'spki' })
}

function verifies(
  signature: string,
  publicKey: ReturnType<typeof createPublicKey>,
  signed = message,
): boolean {
  const content = Buffer.from(`${signed.id}.${signed.timestamp}.${signed.body}`)
  return verify(null, content, publicKey, Buffer.from(signature.slice('v1a,'.length), 'base64'))
}
