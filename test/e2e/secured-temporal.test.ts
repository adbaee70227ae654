import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { SyncService } from '../../src/client.js'
import { startReceiver } from '../../src/testing/receiver.js'
import { createAuthority } from '../support/certificates.js'
import { startProgram } from '../support/program.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { startTlsProxy } from '../support/tls-proxy.js'
import { waitForDeliveries } from '../support/waiting.js'

const KEY = 'sEcReT-api-key'

test('an event is delivered through mutual TLS with an API key, all from a profile file', async () => {
  await using authority = await createAuthority()
  const { cert, key } = await authority.issue('worker')
  await using proxy = await startTlsProxy(inject('temporalAddress'), {
    ...(await authority.issue('temporal.city.example')),
    clientCa: authority.cert,
    refuse: ({ authorization }) =>
      authorization === `Bearer ${KEY}` ? undefined : { code: 16, message: 'who is there?' },
  })
  const folder = await temporaryFolder()
  const path = (name: string): string => join(folder, name)
  await writeFile(path('ca.pem'), authority.cert)
  await writeFile(path('client.pem'), cert)
  await writeFile(path('client.key'), key)
  await writeFile(
    path('temporal.toml'),
    `[profile.city]\naddress = "${proxy.address}"\nnamespace = "default"\napi_key = "${KEY}"\n` +
      `[profile.city.tls]\nserver_name = "temporal.city.example"\nserver_ca_cert_path = "${path('ca.pem')}"\n` +
      `client_cert_path = "${path('client.pem')}"\nclient_key_path = "${path('client.key')}"\n`,
  )
  const env = {
    PATH: process.env['PATH'],
    TEMPORAL_CONFIG_FILE: path('temporal.toml'),
    TEMPORAL_PROFILE: 'city',
    SYNC_DATA_DIR: folder,
    SYNC_TASK_QUEUE: `external-sync-test-${randomUUID()}`,
    SYNC_ALLOW_NETWORKS: '127.0.0.0/8',
  }

  await using worker = await startProgram(['dist/cli.js', 'worker'], env)
  await worker.waitForOutput('worker started')
  await using receiver = await startReceiver()
  await using syncService = await SyncService.connect({ env })
  await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', { id: 'SAFETY-7' })

  await waitForDeliveries(syncService, receipt, [{ endpoint: 'EMS-Scheduler', state: 'delivered' }])
  expect(receiver.requests).toHaveLength(1)
  const methods = new Set(proxy.calls.map(({ method }) => method))
  expect(methods).toContain('StartWorkflowExecution')
  expect(methods).toContain('RespondWorkflowTaskCompleted')
  expect(await worker.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(worker.output).not.toContain(KEY)
})
