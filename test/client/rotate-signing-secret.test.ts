import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { openEnvironment } from '../support/environment.js'

/** The fixed beginning of an ed25519 public key (RFC 8410, section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

test('an ed25519 secret is replaced by one whose public key is returned, and signs beside it', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  const before = generateKeyPairSync('ed25519')
  const seed = before.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32).toString('base64')
  await syncService.registerEndpoint('EMS', { url: receiver.url, signingSecrets: [`whsk_${seed}`] })

  const rotated = await syncService.rotateSigningSecret('EMS')
  await syncService.testEndpoint('EMS')

  const [{ text, headers } = expect.fail('no request')] = receiver.requests
  const content = Buffer.from([headers['webhook-id'], headers['webhook-timestamp'], text].join('.'))
  const signatures = String(headers['webhook-signature'])
    .split(' ')
    .map((signature) => Buffer.from(signature.replace(/^v1a,/, ''), 'base64'))
  const { publicKey: shown } = rotated as { publicKey: string }
  const raw = shown.replace(/^whpk_/, '')
  const key = Buffer.concat([SPKI_PREFIX, Buffer.from(raw, 'base64')])
  const publicKey = createPublicKey({ key, format: 'der', type: 'spki' })
  expect(signatures.map((signature) => verify(null, content, publicKey, signature))).toEqual([true, false])
  expect(signatures.map((signature) => verify(null, content, before.publicKey, signature))).toEqual([
    false,
    true,
  ])
})

test('the other settings stay, and the change is in the history without the secret', async () => {
  const { syncService } = await openEnvironment()
  await syncService.registerEndpoint('EMS', { url: 'https://ems.city.example', authToken: 'Bearer a' })

  const rotated = await syncService.rotateSigningSecret('EMS')

  expect(await syncService.getEndpoint('EMS')).toMatchObject({ authTokenHint: '…' })
  const history = await syncService.endpointHistory('EMS')
  expect(history).toMatchObject([{ action: 'updated', fields: ['signingSecrets'] }, { action: 'created' }])
  expect(JSON.stringify(history)).not.toContain(Object.values(rotated)[0])
})

test('an endpoint that there is not has none', async () => {
  const { syncService } = await openEnvironment()
  await expect(syncService.rotateSigningSecret('EMS')).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' })
})
