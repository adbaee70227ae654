import { Command } from 'commander'
import { keyFile, loadConfig, type Config } from '../config.js'
import { addKey } from '../encryption/key-file.js'
import { formatKeys, generateKey } from '../encryption/key-ring.js'
import type { ReencryptionReport } from '../store/endpoint-store.js'
import { progressSpinner } from './progress-spinner.js'

export function keysCommand(): Command {
  const keys = new Command('keys').description('make and rotate the keys that encrypt secrets')
  keys
    .command('generate')
    .description('print a new key for SYNC_ENCRYPTION_KEYS; keep it where secrets are kept')
    .action(() => void process.stdout.write(`${formatKeys([generateKey()])}\n`))
  keys
    .command('rotate')
    .description(
      'encrypt the credentials of all endpoints under the first key of SYNC_ENCRYPTION_KEYS; ' +
        'without that variable, under a new key that is put into SYNC_DATA_DIR',
    )
    .action(() => rotate(loadConfig(process.env)))
  return keys
}

async function rotate(config: Config): Promise<void> {
  const { openStoreOf } = await import('../store/open-store.js')
  // It is opened with the keys as they are first: one that cannot be is left alone.
  const store = await openStoreOf(config)
  const isOwnFile = config.encryptionKeys === undefined
  try {
    if (isOwnFile) addKey(keyFile(config))
  } finally {
    await store.close()
  }
  const spinner = progressSpinner('encrypting')
  const rotating = await openStoreOf(config)
  try {
    const report = await rotating.reencrypt(
      (done, total) => (spinner.text = `encrypting ${done} of ${total}`),
    )
    spinner.stop()
    process.stdout.write(describe(report, isOwnFile))
    if (report.unreadable.length > 0) process.exitCode = 1
  } finally {
    spinner.stop()
    await rotating.close()
  }
}

function describe(
  { keyId, endpoints, reencrypted, unreadable, retiredKeys }: ReencryptionReport,
  isOwnFile: boolean,
) {
  const lines = [
    `${endpoints - unreadable.length} of ${endpoints} endpoints are encrypted under the key ${keyId}; ${reencrypted} were not before`,
    ...unreadable.map(({ endpoint, problem }) => `✗ ${endpoint}: ${problem}`),
    ...retiredKeys.map((id) => `the endpoint store does not need the key ${id} any more`),
  ]
  if (retiredKeys.length > 0) {
    lines.push(
      `Keep ${retiredKeys.length === 1 ? 'it' : 'them'}, after the first one, while Temporal has events that are ` +
        `encrypted under it (SYNC_ENCRYPT_PAYLOADS)${isOwnFile ? '; it stays in SYNC_DATA_DIR' : ''}.`,
    )
  }
  return `${lines.join('\n')}\n`
}
