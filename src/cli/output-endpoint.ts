import type { EndpointTestReport, ShownEndpoint } from '../client.js'
import { oneLine, print, type Colors } from './output.js'
import type { Column } from './output-table.js'
import { relativeTime } from './output-time.js'

/** An endpoint, and how many deliveries wait for it. */
export type EndpointWithWaiting = ShownEndpoint & { waiting: number }

/** Endpoints at a glance. */
export const ENDPOINT_COLUMNS: readonly Column<EndpointWithWaiting>[] = [
  { title: 'NAME', value: ({ name }) => name, isWhole: true },
  {
    title: 'STATE',
    value: stateOf,
    paint: (endpoint, { green, yellow, red }) =>
      'problem' in endpoint ? red : endpoint.state === 'active' ? green : yellow,
  },
  {
    title: 'WAITING',
    value: ({ waiting }) => String(waiting),
    paint: ({ waiting }, { yellow }) => (waiting > 0 ? yellow : String),
  },
  { title: 'EVENTS', value: ({ events }) => events?.join(', ') ?? 'all', isFlexible: true },
  { title: 'URL', value: originOf, isFlexible: true },
  {
    title: 'PROBLEM',
    value: (endpoint) => ('problem' in endpoint ? endpoint.problem : undefined),
    isOptional: true,
    isFlexible: true,
  },
]

/** Prints an endpoint setting by setting; of its secrets only hints. */
export function printEndpoint(endpoint: EndpointWithWaiting): void {
  const { name, state: _state, version: _version, createdAt, updatedAt, ...settings } = endpoint
  const lines: [string, unknown][] = [
    ['name', name],
    ['state', stateOf(endpoint)],
    ...Object.entries(settings),
    ['created', relativeTime(createdAt)],
    ['updated', relativeTime(updatedAt)],
  ]
  const width = Math.max(...lines.map(([title]) => title.length))
  for (const [title, value] of lines) print(`${title.padEnd(width)}  ${oneLine(shown(value))}`)
}

/** Prints what came of a test, and what the receiver said. */
export function printTestReport(
  name: string,
  { outcome, status, error, durationMs, firstByteMs, tls, excerpt }: EndpointTestReport,
  { green, red, dim }: Colors,
): void {
  const isDelivered = outcome === 'delivered'
  const answer = [status, error].filter((part) => part !== undefined).join(' ')
  const verdict = isDelivered
    ? ''
    : `: a delivery would ${outcome === 'retry' ? 'be retried' : `wait (${outcome})`}`
  print(`${isDelivered ? green('✓') : red('✗')} ${name}  ${oneLine(answer)} in ${durationMs} ms${verdict}`)
  if (firstByteMs !== undefined) print(dim(`  first byte after ${firstByteMs} ms`))
  if (tls !== undefined)
    print(dim(`  ${tls.protocol}, certificate of ${oneLine(tls.issuer)} until ${tls.validTo}`))
  if (excerpt !== undefined) print(dim(`  ${oneLine(excerpt)}`))
}

function stateOf(endpoint: ShownEndpoint): string {
  return 'problem' in endpoint ? 'unusable' : endpoint.state
}

/** The rest of a URL may be a secret. */
function originOf(endpoint: ShownEndpoint): string | undefined {
  return 'problem' in endpoint ? undefined : new URL(endpoint.url).origin
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ')
  return JSON.stringify(value)
}
