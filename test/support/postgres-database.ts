import { randomUUID } from 'node:crypto'
import { Client } from 'pg'

/** Makes an empty database beside the one of `adminUrl` and returns its URL. */
export async function createDatabase(adminUrl: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await execute(adminUrl, `create database ${name} template template0`)
  const url = new URL(adminUrl)
  url.pathname = name
  return url.href
}

/** Drops a database of {@link createDatabase}, whoever is connected to it. */
export async function dropDatabase(adminUrl: string, url: string): Promise<void> {
  await execute(adminUrl, `drop database if exists ${new URL(url).pathname.slice(1)} with (force)`)
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
