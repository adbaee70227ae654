import { existsSync } from 'node:fs'
import { describeDatabase, keyFile, type Config } from '../config.js'
import { isUsable } from '../store/endpoint-store.js'
import { openStoreOf } from '../store/open-store.js'
import { error, ok, warning, type Finding } from './finding.js'

/** Opens the endpoint store with its keys and reads every endpoint, and makes neither a file nor a table. */
export async function checkStore(config: Config): Promise<readonly Finding[]> {
  const { database, encryptionKeys } = config
  const name = `endpoint store ${describeDatabase(database)}`
  if (database.kind === 'sqlite') {
    if (!existsSync(database.file)) return [warning(`${name}: there is none yet`, 'the first start makes it')]
    if (encryptionKeys === undefined && !existsSync(keyFile(config))) {
      return [error(`${name}: its key file ${keyFile(config)} is gone`, 'put it back from a backup')]
    }
  }
  const store = await openStoreOf(config)
  try {
    const endpoints = await store.list()
    const unusable = endpoints.filter((endpoint) => !isUsable(endpoint))
    return [
      ok(`${name}: ${endpoints.length} endpoints, encrypted under keys that are there`),
      ...unusable.map((endpoint) =>
        error(
          `endpoint ${endpoint.name}: ${'problem' in endpoint ? endpoint.problem : ''}`,
          'register or update it; its deliveries wait',
        ),
      ),
    ]
  } finally {
    await store.close()
  }
}
