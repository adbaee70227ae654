import type { Config } from '../config.js'
import type { Server } from '../server.js'
import { startEmbeddedSystem, type EmbeddedSystem } from '../start.js'
import { aborted } from '../stop-signal.js'
import { progressSpinner } from './progress-spinner.js'
import { runProcess, type Process } from './run-process.js'
import { serveApi } from './serve-api.js'

const LOOPBACK = '127.0.0.1'

/** The options of `start`. */
export interface StartFlags {
  port?: number
  uiPort?: number
  apiPort?: number
}

/** Runs the embedded system and its API until it is stopped. */
export function runStart(flags: StartFlags): Promise<void> {
  return runProcess((process) => start(process, flags))
}

async function start(running: Process, { port, uiPort, apiPort }: StartFlags): Promise<void> {
  const { config, logger, metrics, signal } = running
  const spinner = progressSpinner('starting')
  try {
    const system = await startEmbeddedSystem({
      config,
      logger,
      port,
      uiPort,
      signal,
      onAttempt: (attempt) => metrics.attemptEnded(attempt),
      onProgress: (message) => (spinner.text = message),
    })
    try {
      const server = await serveApi(system.service, running, {
        ip: LOOPBACK,
        port: apiPort,
        uiUrl: system.uiUrl,
      })
      spinner.stop()
      process.stdout.write(describe(system, server, config))
      await Promise.race([system.failed, aborted(signal)])
      await server.stop()
    } finally {
      await system.stop()
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    spinner.stop()
  }
}

function describe(system: EmbeddedSystem, server: Server, { dataDir }: Config): string {
  return (
    `external-sync is ready\n` +
    `  HTTP API     ${server.url}, described by ${server.url}/openapi.json\n` +
    `  Status page  ${server.url}/\n` +
    `  Temporal     ${system.address}\n` +
    `  Temporal UI  ${system.uiUrl}\n` +
    `  endpoints    in public networks, and in ${system.allowNetworks.join(', ')}\n` +
    `  data         ${dataDir}\n` +
    `Stop it with Ctrl-C: what is not delivered yet waits in the data folder.\n`
  )
}
