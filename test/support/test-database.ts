import { inject, onTestFinished } from 'vitest'
import { createDatabase, dropDatabase } from './postgres-database.js'

/** An empty database on the Postgres that the tests share; it goes with the test. Returns its URL. */
export async function openDatabase(): Promise<string> {
  const adminUrl = inject('postgresUrl')
  const url = await createDatabase(adminUrl)
  onTestFinished(() => dropDatabase(adminUrl, url))
  return url
}
