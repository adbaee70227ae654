import { existsSync } from 'node:fs'
import { Client } from 'pg'
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { startMessagingProgram } from './messaging-program.js'
import { startPostgres, type Postgres } from './postgres.js'
import { openDatabase } from './test-database.js'

async function openPostgres(...options: Parameters<typeof startPostgres>): Promise<Postgres> {
  const postgres = await startPostgres(...options)
  onTestFinished(() => postgres[Symbol.asyncDispose]())
  return postgres
}

async function query<Row extends object>(url: string, statement: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(statement)).rows
  } finally {
    await client.end()
  }
}

async function settingOf(url: string, name: string): Promise<unknown> {
  const [row] = await query<Record<string, unknown>>(url, `show ${name}`)
  return row?.[name]
}

function withPassword(url: string, password: string): string {
  const changed = new URL(url)
  changed.password = password
  return changed.href
}

test('a test opens an empty database on the shared server', async () => {
  const [first, second] = [await openDatabase(), await openDatabase()]

  await query(first, 'create table words (word text)')
  expect(await query(second, "select * from pg_tables where schemaname = 'public'")).toEqual([])
})

test('the server listens on loopback alone, and asks for the password', async () => {
  const url = inject('postgresUrl')

  expect(await settingOf(url, 'listen_addresses')).toBe('127.0.0.1')
  expect(await settingOf(url, 'unix_socket_directories')).toBe('')
  await expect(query(withPassword(url, 'guessed'), 'select 1')).rejects.toThrow(
    'password authentication failed',
  )
  expect(await query(url, 'select distinct auth_method from pg_hba_file_rules')).toEqual([
    { auth_method: 'scram-sha-256' },
  ])
})

describe.each(['machine', 'package'] as const)('the Postgres of the %s', (source) => {
  test.each(['fast', 'immediate'] as const)(
    'keeps its data and its port through a stop: %s',
    async (mode) => {
      const postgres = await openPostgres({ source })
      const url = await postgres.createDatabase()
      await query(url, "create table words as select 'kept' as word")

      await postgres.stop(mode)
      await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED')
      await postgres.start()

      expect(await query(url, 'select word from words')).toEqual([{ word: 'kept' }])
    },
  )

  test('leaves no file behind', async () => {
    const postgres = await startPostgres({ source })
    const folder = String(await settingOf(postgres.url(), 'data_directory'))
    expect(existsSync(folder)).toBe(true)

    await postgres[Symbol.asyncDispose]()

    expect(existsSync(folder)).toBe(false)
    await expect(query(postgres.url(), 'select 1')).rejects.toThrow('ECONNREFUSED')
  })
})

test('a program that is killed leaves neither server nor files', async () => {
  const program = startMessagingProgram(new URL('fixtures/postgres-program.ts', import.meta.url))
  const url = String(await program.next())
  const folder = String(await settingOf(url, 'data_directory'))

  program.kill('SIGKILL')

  await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 10_000, interval: 100 })
  await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})
