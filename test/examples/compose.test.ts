import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Ajv, type AnySchemaObject } from 'ajv'
import { expect, test } from 'vitest'
import { composeText, composeVariables, parseCompose, startOrder } from '../support/compose-file.js'

/** What it does not start without. */
const REQUIRED = { POSTGRES_PASSWORD: 'password', SYNC_ENCRYPTION_KEYS: 'key' }

const text = await composeText()
const { services } = parseCompose(text, REQUIRED)

/** The JSON schema of the Compose Specification, which the linter dclint ships. */
async function composeSchema(): Promise<AnySchemaObject> {
  const require = createRequire(import.meta.url)
  const dclint = dirname(require.resolve('dclint/package.json'))
  return JSON.parse(await readFile(join(dclint, 'schemas', 'compose.schema.json'), 'utf8')) as AnySchemaObject
}

test('the compose file is one by the Compose Specification', async () => {
  const { $schema: _, ...schema } = await composeSchema()
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema)

  const problemsOf = (file: unknown) => (validate(file) === true ? [] : validate.errors)

  expect(problemsOf(parseCompose(text, REQUIRED))).toEqual([])
  expect(problemsOf({ services: { worker: { imaeg: 'external-sync:0.1.0' } } })).toMatchObject([
    { instancePath: '/services/worker' },
  ])
})

test('it does not start without a password and keys, and says which is missing', () => {
  for (const name of Object.keys(REQUIRED)) {
    expect(() => parseCompose(text, { ...REQUIRED, [name]: '' })).toThrow(
      `required variable ${name} is missing`,
    )
  }
})

test('every secret comes from a variable', () => {
  const names = ['POSTGRES_PASSWORD', 'SYNC_ENCRYPTION_KEYS', 'SYNC_CODEC_TOKEN', 'SYNC_API_TOKENS']
  const given = Object.fromEntries(names.map((name) => [name, '<given>']))
  const literals = Object.values(parseCompose(text, given).services)
    .flatMap(({ environment = {} }) => Object.entries(environment))
    .filter(([name]) => /PASSWORD|PWD|KEYS|TOKEN|DATABASE_URL/.test(name))
    .filter(([, value]) => !value.includes('<given>'))

  expect(literals).toEqual([])
})

test('every variable is in .env.example', async () => {
  const example = await readFile('.env.example', 'utf8')

  expect(composeVariables(text).filter((name) => !example.includes(`# ${name}=`))).toEqual([])
})

test('every image has an exact version, and ours is the version of this package', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
  const images = Object.values(services).map(({ image }) => image)

  expect(images.filter((image) => !/:\d+\.\d+(\.\d+|-[a-z]+)$/.test(image))).toEqual([])
  const ours = images.filter((image) => image.startsWith('external-sync'))
  expect(new Set(ours)).toEqual(new Set([`external-sync:${version}`]))
})

test('every port is published on loopback alone', () => {
  const ports = Object.values(services).flatMap((service) => service.ports ?? [])

  expect(ports.length).toBeGreaterThan(0)
  expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
})

test('every service waits for what it needs to be healthy or done', () => {
  const conditions = Object.entries(services).flatMap(([name, { depends_on = {} }]) =>
    Object.entries(depends_on).map(([other, { condition }]) => ({ name, other, condition })),
  )

  expect(conditions.length).toBeGreaterThan(0)
  for (const { other, condition } of conditions) {
    expect(condition).toBe(
      services[other]?.healthcheck === undefined ? 'service_completed_successfully' : 'service_healthy',
    )
  }
  expect(startOrder(services).toSorted()).toEqual(Object.keys(services).toSorted())
})
