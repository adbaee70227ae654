import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { packageVersion } from '../../src/package-version.js'
import { startServer } from '../../src/server.js'

test('the document is OpenAPI 3.1 and valid', async () => {
  const document = JSON.parse(await readDocument()) as { openapi: string; info: object }
  const validator = new Validator()

  expect(await validator.validate(document)).toEqual({ valid: true })
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: packageVersion } })
})

test('a linter finds nothing in it, not even to warn of', async () => {
  const config = await createConfig({ extends: ['recommended-strict'] })
  const lint = (source: string) => lintFromString({ source, config, absoluteRef: 'openapi.json' })
  const source = await readDocument()

  const problems = await lint(source)
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
  // It would find something.
  expect(await lint(source.replace('"operationId":"emitEvents",', ''))).not.toEqual([])
})

async function readDocument(): Promise<string> {
  // It asks nothing of the service.
  const server = await startServer({ service: {} as never, logger: pino({ level: 'silent' }) })
  onTestFinished(() => server.stop())
  const response = await fetch(`${server.url}/openapi.json`)
  expect(response.headers.get('content-type')).toContain('application/json')
  return response.text()
}
