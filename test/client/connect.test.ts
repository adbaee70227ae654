import { Connection } from '@temporalio/client'
import { expect, inject, test } from 'vitest'
import { SyncService } from '../../src/client.js'
import { startTemporalServer } from '../../src/embedded/temporal-server.js'
import { freePort } from '../support/free-port.js'
import { temporaryFolder } from '../support/temporary-folder.js'

test('a Temporal that does not answer is named, with how long it was tried and how to start one', async () => {
  const address = `127.0.0.1:${await freePort()}`

  await expect(connect({ TEMPORAL_ADDRESS: address }, { connectTimeoutMs: 500 })).rejects.toMatchObject({
    code: 'TEMPORAL_UNREACHABLE',
    message:
      `no Temporal server answered at ${address} within 0.5 s (ECONNREFUSED); ` +
      'start one with `npx external-sync start`, or set TEMPORAL_ADDRESS to one that runs',
  })
})

test('a namespace that does not exist is named, with the command that creates it', async () => {
  const address = inject('temporalAddress')

  await expect(connect({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'city' })).rejects.toMatchObject({
    code: 'TEMPORAL_NAMESPACE_MISSING',
    message:
      `Temporal at ${address} has no namespace "city"; create it with \`npx external-sync setup\`, ` +
      'or set TEMPORAL_NAMESPACE to one of its own',
  })
})

test('a missing search attribute is named, with the command that creates it', async () => {
  const server = await startTemporalServer({ cliPath: inject('temporalCliPath'), port: 0, uiPort: 0 })
  try {
    await removeSearchAttribute(server.address, 'SyncWaitingOn')

    await expect(connect({ TEMPORAL_ADDRESS: server.address })).rejects.toMatchObject({
      code: 'TEMPORAL_SEARCH_ATTRIBUTE_MISSING',
      message: expect.stringMatching(/lacks .* SyncWaitingOn; create them with `npx external-sync setup`/),
    })
  } finally {
    await server.stop()
  }
})

test('the embedded server that runs on the data folder is found without an address', async () => {
  const folder = await temporaryFolder()
  const cliPath = inject('temporalCliPath')
  const server = await startTemporalServer({ cliPath, dataFile: `${folder}/temporal.db`, port: 0, uiPort: 0 })
  try {
    await using syncService = await SyncService.connect({ env: { SYNC_DATA_DIR: folder } })

    expect(await syncService.emit('policy.approved', {})).toMatchObject({ duplicate: false })
  } finally {
    await server.stop()
  }
})

test('unknown options are refused by name', () => {
  const options = { taskQueues: 'typo' }

  expect(() => new SyncService(options as object)).toThrow(/taskQueues .*no option of this name/)
})

test('a service connects again after its first try failed', async () => {
  const folder = await temporaryFolder()
  const port = await freePort()
  await using syncService = new SyncService({
    env: { SYNC_DATA_DIR: folder },
    temporal: { address: `127.0.0.1:${port}`, connectTimeoutMs: 200 },
  })
  await expect(syncService.emit('policy.approved', {})).rejects.toMatchObject({
    code: 'TEMPORAL_UNREACHABLE',
  })

  const server = await startTemporalServer({ cliPath: inject('temporalCliPath'), port, uiPort: 0 })
  try {
    expect(await syncService.emit('policy.approved', {})).toMatchObject({ duplicate: false })
  } finally {
    await server.stop()
  }
})

async function connect(
  variables: NodeJS.ProcessEnv,
  temporal: { connectTimeoutMs?: number } = {},
): Promise<SyncService> {
  return SyncService.connect({ env: { SYNC_DATA_DIR: await temporaryFolder(), ...variables }, temporal })
}

async function removeSearchAttribute(address: string, name: string): Promise<void> {
  const connection = await Connection.connect({ address })
  await connection.operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes: [name] })
  await connection.close()
}
