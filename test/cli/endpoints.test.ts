import { expect, test } from 'vitest'
import { openProcesses } from '../support/separate-processes.js'

test('the history of an endpoint says who changed what and when, also after it was removed', async (context) => {
  const processes = await openProcesses(context)
  const syncService = await processes.connect({ actor: 'alice' })
  const settings = { url: 'https://ems.city.example/', authToken: 'Bearer sEcReT' }
  await syncService.registerEndpoint('EMS', settings)
  await syncService.updateEndpoint('EMS', { authToken: 'Bearer sEcReT-2', retry: { slowIntervalMs: 5_000 } })
  await syncService.pauseEndpoint('EMS')
  await syncService.removeEndpoint('EMS')

  const { code, output } = await processes.runCommand(['endpoints', 'history', 'EMS'])
  expect(code).toBe(0)
  expect(output.split('\n').map((line) => line.replace(/\S+Z/, 'TIME').replaceAll(/ +/g, ' '))).toEqual([
    'REVISION TIME CHANGE BY SETTINGS',
    '4 TIME removed alice',
    '3 TIME paused alice state',
    '2 TIME updated alice authToken, retry',
    '1 TIME created alice url, authToken',
    '',
  ])
  const page = await processes.runCommand([
    'endpoints',
    'history',
    'EMS',
    '--json',
    '--limit',
    '1',
    '--before',
    '3',
  ])
  expect(JSON.parse(page.output)).toMatchObject({
    revision: 2,
    action: 'updated',
    fields: ['authToken', 'retry'],
  })
  expect(await syncService.endpointHistory('EMS', { limit: 1 })).toMatchObject([{ action: 'removed' }])
  expect(output + page.output).not.toContain('sEcReT')

  const unknown = await processes.runCommand(['endpoints', 'history', 'Nobody'])
  expect(unknown).toMatchObject({ code: 3, output: expect.stringContaining('ENDPOINT_NOT_FOUND') })
})

test('a key that is generated is printed alone, and is accepted', async (context) => {
  const processes = await openProcesses(context)

  const { output } = await processes.runCommand(['keys', 'generate'])

  expect(output).toMatch(/^\S+:\S+\n$/)
  const SYNC_ENCRYPTION_KEYS = output.trim()
  const folder = `${processes.folder}/other`
  expect(
    await processes.runCommand(['migrate'], { SYNC_ENCRYPTION_KEYS, SYNC_DATA_DIR: folder }),
  ).toMatchObject({ code: 0 })
})
