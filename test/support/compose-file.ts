import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

/** What the tests read of a service; everything else is the schema's to check. */
export interface ComposeService {
  image: string
  command?: string[]
  environment?: Record<string, string>
  ports?: string[]
  healthcheck?: { test: string[] }
  depends_on?: Record<string, { condition: string }>
  configs?: { source: string; target: string }[]
}

export interface ComposeFile {
  services: Record<string, ComposeService>
  configs: Record<string, { content: string }>
}

/** Variables of a compose file: `${NAME}`, `${NAME:-default}` or `${NAME:?message}`; `$$` is a dollar sign. */
const VARIABLE = /\$\$|\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g

export function composeText(): Promise<string> {
  return readFile('docker-compose.yml', 'utf8')
}

/** The file as `docker compose` sees it with these variables. */
export function parseCompose(text: string, env: Readonly<Record<string, string>>): ComposeFile {
  const file = parse(interpolate(text, env), { merge: true }) as ComposeFile
  for (const { environment = {} } of Object.values(file.services)) {
    const values: Record<string, unknown> = environment
    for (const [name, value] of Object.entries(values)) values[name] = String(value)
  }
  return file
}

/** Names of the variables that the file uses. */
export function composeVariables(text: string): string[] {
  return [...new Set([...text.matchAll(VARIABLE)].flatMap(([, name]) => (name === undefined ? [] : [name])))]
}

/** The services in an order in which each comes after those that it depends on. */
export function startOrder(services: ComposeFile['services']): string[] {
  const order: string[] = []
  const visit = (name: string, path: readonly string[]): void => {
    if (order.includes(name)) return
    if (path.includes(name)) throw new Error(`services depend on each other: ${[...path, name].join(' → ')}`)
    for (const other of Object.keys(services[name]?.depends_on ?? {})) visit(other, [...path, name])
    order.push(name)
  }
  for (const name of Object.keys(services)) visit(name, [])
  return order
}

/** https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md */
function interpolate(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    VARIABLE,
    (match, name: string | undefined, kind: string | undefined, argument: string | undefined) => {
      if (name === undefined) return '$'
      const value = env[name] ?? ''
      if (value !== '' || kind === undefined) return value
      if (kind === '?') throw new Error(`required variable ${name} is missing: ${argument}`)
      return argument ?? match
    },
  )
}
