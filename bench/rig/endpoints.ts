import type { EndpointStore } from '../../dist/store/endpoint-store.js'
import type { Trial } from './trial.js'

const AT_A_TIME = 100

/** Endpoints of one event type. */
export interface EndpointGroup {
  /** The only type that they subscribe to. */
  type: string
  names: string[]
  /** Where the sink sees them. */
  paths: string[]
}

/** Registers `count` endpoints of a new event type, on the sink's listener at `port`. */
export async function registerEndpoints(
  trial: Trial,
  { count, port = trial.port }: { count: number; port?: number },
): Promise<EndpointGroup> {
  const type = `bench.type-${trial.nextNumber()}`
  const paths = Array.from({ length: count }, () => `/e/${trial.nextNumber()}`)
  const endpoints = paths.map((path) => ({
    name: `Endpoint${path.replaceAll('/', '-')}`,
    url: `http://127.0.0.1:${port}${path}`,
  }))
  await putAll(trial.system.store, endpoints, type)
  return { type, names: endpoints.map(({ name }) => name), paths }
}

async function putAll(
  store: EndpointStore,
  endpoints: readonly { name: string; url: string }[],
  type: string,
): Promise<void> {
  for (let from = 0; from < endpoints.length; from += AT_A_TIME) {
    const batch = endpoints.slice(from, from + AT_A_TIME)
    await Promise.all(batch.map(({ name, url }) => store.put(name, { url, events: [type] })))
  }
}
