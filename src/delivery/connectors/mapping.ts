import type { MappingConnector } from '../../domain/endpoint.js'
import type { SyncEvent } from '../../domain/event.js'
import { showValue } from '../../domain/parse-input.js'
import { AttemptError } from '../attempt-result.js'
import type { ConnectorRequest, Method } from './connector.js'
import type { MappingEvaluator } from './mapping-evaluator.js'

const HEADER_PREFIX = 'headers.'

/**
 * The request that a mapping makes of an event.
 * @throws {AttemptError} naming the expression that fails or yields what a request cannot have
 */
export async function mapEvent(
  evaluator: MappingEvaluator,
  owner: string,
  mapping: MappingConnector,
  event: SyncEvent,
): Promise<ConnectorRequest> {
  const answer = await evaluator.evaluate(owner, expressionsOf(mapping), event)
  if (answer.kind !== 'evaluated') throw failed(answer.name, answer.message)
  const results = new Map(answer.results)
  const method = mapping.method === undefined ? 'POST' : textOf(results, 'method')
  const body =
    mapping.body === undefined && method !== 'DELETE' ? JSON.stringify(event.data) : results.get('body')
  return {
    method: method as Method,
    ...(mapping.path !== undefined && { path: textOf(results, 'path') }),
    headers: headersOf(mapping, results),
    ...(body !== undefined && { body }),
  }
}

function expressionsOf({ method, path, headers = {}, body }: MappingConnector): [string, string][] {
  const named: [string, string | undefined][] = [
    ['method', method],
    ['path', path],
    ['body', body],
    ...Object.entries(headers).map<[string, string]>(([name, value]) => [HEADER_PREFIX + name, value]),
  ]
  return named.filter((entry): entry is [string, string] => entry[1] !== undefined)
}

function headersOf({ headers = {} }: MappingConnector, results: ReadonlyMap<string, string>) {
  const present = Object.keys(headers).filter((name) => results.has(HEADER_PREFIX + name))
  return Object.fromEntries(present.map((name) => [name, headerOf(results, HEADER_PREFIX + name)]))
}

function headerOf(results: ReadonlyMap<string, string>, name: string): string {
  const value = parsed(results, name)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return textOf(results, name)
}

function textOf(results: ReadonlyMap<string, string>, name: string): string {
  const value = parsed(results, name)
  if (typeof value === 'string') return value
  throw failed(
    name,
    value === undefined ? 'it yields nothing for this event' : `it yields ${showValue(value)}, not a text`,
  )
}

function parsed(results: ReadonlyMap<string, string>, name: string): unknown {
  const json = results.get(name)
  return json === undefined ? undefined : (JSON.parse(json) as unknown)
}

function failed(name: string | undefined, message: string): AttemptError {
  const field = name === undefined ? 'connector' : `connector.${name}`
  return new AttemptError('MAPPING_FAILED', `${field}: ${message}`)
}
