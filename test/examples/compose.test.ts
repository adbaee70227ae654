import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, inject, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { SyncService } from '../../src/client.js'
import { SEARCH_ATTRIBUTES } from '../../src/domain/search-attributes.js'
import { startReceiver } from '../../src/testing/receiver.js'
import { freePort } from '../support/free-port.js'
import { startProgram } from '../support/program.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { waitForDeliveries } from '../support/waiting.js'

const run = promisify(execFile)

interface Service {
  image?: string
  command?: string[]
  environment?: Record<string, string>
  ports?: string[]
  healthcheck?: { test: string[] }
  depends_on?: Record<string, { condition: string }>
}

interface ComposeFile {
  services: { temporal: Service; namespace: Service; worker: Service }
}

async function readComposeFile(): Promise<ComposeFile['services']> {
  return (parse(await readFile('docker-compose.yml', 'utf8'), { merge: true }) as ComposeFile).services
}

async function healthy(command: () => Promise<{ stdout: string }>): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      return (await command()).stdout
    } catch (error) {
      if (tries === 50) throw error
      await sleep(200)
    }
  }
}

function endWithTest(child: ChildProcess): void {
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
}

test('every port is published on loopback alone, and every image has a version', async () => {
  const services = Object.values(await readComposeFile())

  expect(services.flatMap(({ ports = [] }) => ports)).toEqual([
    expect.stringMatching(/^127\.0\.0\.1:/),
    expect.stringMatching(/^127\.0\.0\.1:/),
  ])
  const images = services.flatMap(({ image }) => image ?? [])
  expect(images).toHaveLength(2)
  expect(images.filter((image) => !/:\d+\.\d+\.\d+$/.test(image))).toEqual([])
})

test('the composed server has every search attribute of the project', async () => {
  const { temporal } = await readComposeFile()

  for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES)) {
    expect(temporal.command).toContain(`--search-attribute=${name}=${type}`)
  }
})

test('the composed commands work together, outside containers', { timeout: 120_000 }, async () => {
  const { temporal, namespace, worker } = await readComposeFile()
  const cli = inject('temporalCliPath')
  const folder = await temporaryFolder()
  const port = await freePort()
  const address = `127.0.0.1:${port}`

  const here = temporal.command?.map((argument) =>
    argument.replace('/home/temporal/', `${folder}/`).replace('0.0.0.0', '127.0.0.1'),
  )
  const ports = [`--port=${port}`, `--ui-port=${await freePort()}`]
  endWithTest(spawn(cli, [...(here ?? []), ...ports], { stdio: 'ignore' }))

  const [kind, program, ...probe] = temporal.healthcheck?.test ?? []
  expect([kind, program]).toEqual(['CMD', 'temporal'])
  expect(await healthy(() => run(cli, [...probe, '--address', address]))).toContain('SERVING')

  const retention = namespace.command?.map((argument) => argument.replace('temporal:7233', address)) ?? []
  await run(cli, retention)
  const { stdout } = await run(cli, ['operator', 'namespace', 'describe', 'default', '--address', address])
  expect(stdout).toMatch(/720h|30d/)

  const environment = {
    ...process.env,
    TEMPORAL_ADDRESS: worker.environment?.['TEMPORAL_ADDRESS']?.replace('temporal:7233', address),
    SYNC_LOG_LEVEL: 'info',
    SYNC_DATA_DIR: join(folder, 'endpoints'),
    SYNC_ALLOW_NETWORKS: '127.0.0.0/8',
  }
  await using running = await startProgram(['dist/cli.js', 'worker'], environment)
  await running.waitForOutput('worker started')

  await using receiver = await startReceiver()
  await using syncService = await SyncService.connect({ env: environment })
  await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', { id: 'SAFETY-7' })
  await waitForDeliveries(syncService, receipt, [{ endpoint: 'EMS-Scheduler', state: 'delivered' }])

  expect(await running.end('SIGTERM')).toEqual({ code: 0, signal: null })
})
