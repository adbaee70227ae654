import { Command } from 'commander'
import { CODEC_TOKEN_ACCEPTED, loadConfig, temporalDataFile, type Config } from '../config.js'
import { InvalidInputError } from '../domain/errors.js'
import { choosePort } from '../embedded/ports.js'
import { readRunningServer } from '../embedded/server-record.js'
import { openKeyRing } from '../encryption/open-key-ring.js'
import { createLogger } from '../logger.js'
import { aborted, stopSignal } from '../stop-signal.js'
import { parsePort } from './option-values.js'

const DEFAULT_IP = '127.0.0.1'
const DEFAULT_PORT = 8234
const DEFAULT_UI_PORT = '8233'

export function codecCommand(): Command {
  return new Command('codec')
    .description('serve what decrypts payloads for the Temporal UI and the Temporal CLI, until stopped')
    .option('--port <port>', `port to serve on (default: ${DEFAULT_PORT}, or a free one)`, parsePort)
    .option('--ip <ip>', 'address to serve on; beyond this machine put TLS before it', DEFAULT_IP)
    .action(serve)
}

async function serve({ port: requested, ip }: { port?: number; ip: string }): Promise<void> {
  const config = loadConfig(process.env)
  if (config.codecToken === undefined) throw tokenMissing()
  const { startCodecServer } = await import('../codec-server.js')
  const signal = stopSignal()
  const origins = config.codecOrigins ?? (await embeddedOrigins(config))
  const port = await choosePort(ip, { purpose: 'the codec endpoint', requested, preferred: DEFAULT_PORT })
  const server = await startCodecServer({
    keys: openKeyRing(config),
    token: config.codecToken,
    origins,
    ip,
    port,
    logger: createLogger(config.logLevel ?? 'info'),
  })
  process.stdout.write(describe(server.url, origins))
  await aborted(signal)
  await server.stop()
}

function describe(url: string, origins: readonly string[]): string {
  return (
    `external-sync codec is ready\n` +
    `  endpoint      ${url}\n` +
    `  Temporal UI   at ${origins.join(', ') || 'no origin (SYNC_CODEC_ORIGINS)'}: open ${url} once and sign in ` +
    `with any user and SYNC_CODEC_TOKEN;\n` +
    `                then enter the endpoint in its codec server settings, with cross-origin credentials\n` +
    `  Temporal CLI  --codec-endpoint ${url} --codec-auth "Bearer $SYNC_CODEC_TOKEN"\n` +
    `Stop it with Ctrl-C.\n`
  )
}

/** The origins of the embedded UI, which is at the same place by its name and by its address. */
async function embeddedOrigins(config: Config): Promise<string[]> {
  const running = await readRunningServer(temporalDataFile(config))
  const port = running === undefined ? DEFAULT_UI_PORT : new URL(running.uiUrl).port
  return [`http://127.0.0.1:${port}`, `http://localhost:${port}`]
}

function tokenMissing(): InvalidInputError {
  return new InvalidInputError('environment', [{ field: 'SYNC_CODEC_TOKEN', accepted: CODEC_TOKEN_ACCEPTED }])
}
