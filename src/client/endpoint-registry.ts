import type { Client } from '@temporalio/client'
import { z } from 'zod'
import {
  toView,
  type EndpointChanges,
  type EndpointSettings,
  type EndpointState,
  type EndpointView,
} from '../domain/endpoint.js'
import { SyncError } from '../domain/errors.js'
import { parseEndpoint } from '../domain/parse-endpoint.js'
import { parseInput } from '../domain/parse-input.js'
import { waitingQuery } from '../domain/search-attributes.js'
import { wholeNumberUpTo } from '../domain/whole-number.js'
import {
  isUsable,
  type ChangeOptions,
  type EndpointStore,
  type HistoryOptions,
  type Registration,
  type UnusableEndpoint,
} from '../store/endpoint-store.js'
import { startRelease } from '../temporal/start-release.js'

/** What an endpoint's changes need: where it is stored, and Temporal to release what waits for it. */
export interface RegistryParts {
  client: Client
  store: EndpointStore
  taskQueue: string
}

/** How an endpoint is removed. */
export interface RemoveEndpointOptions extends ChangeOptions {
  /** Discard the deliveries that wait for it, with that reason on record. @default false: refuse to remove it */
  discardWaiting?: boolean
}

/** An endpoint as it is shown, or one whose stored settings are not accepted any more. */
export type ShownEndpoint = EndpointView | UnusableEndpoint

export async function registerEndpoint(
  parts: RegistryParts,
  name: string,
  settings: EndpointSettings,
  options: ChangeOptions,
): Promise<Registration> {
  const result = await parts.store.put(name, settings, options)
  if (result === 'updated') await startRelease(parts, name)
  return result
}

export async function updateEndpoint(
  parts: RegistryParts,
  name: string,
  changes: EndpointChanges,
  options: ChangeOptions,
): Promise<'updated' | 'unchanged'> {
  const change = (current: EndpointSettings): EndpointSettings =>
    parseEndpoint(name, { ...current, ...changes })
  const result = await parts.store.update(name, change, options)
  if (result === 'updated') await startRelease(parts, name)
  return result ?? endpointNotFound(name)
}

export async function setEndpointState(
  parts: RegistryParts,
  name: string,
  state: EndpointState,
  options: ChangeOptions,
): Promise<'updated' | 'unchanged'> {
  const result = await parts.store.setState(name, state, options)
  if (result === 'updated' && state === 'active') await startRelease(parts, name)
  return result ?? endpointNotFound(name)
}

export async function removeEndpoint(
  parts: RegistryParts,
  name: string,
  { discardWaiting = false, ...options }: RemoveEndpointOptions,
): Promise<void> {
  if (!discardWaiting) await refuseWhileWaiting(parts, name)
  if (!(await parts.store.remove(name, options))) endpointNotFound(name)
  await startRelease(parts, name)
}

export async function getEndpoint({ store }: RegistryParts, name: string): Promise<ShownEndpoint> {
  const endpoint = await store.get(name)
  if (endpoint === undefined) return endpointNotFound(name)
  return isUsable(endpoint) ? toView(endpoint) : endpoint
}

export async function listEndpoints({ store }: RegistryParts): Promise<ShownEndpoint[]> {
  const endpoints = await store.list()
  return endpoints.map((endpoint) => (isUsable(endpoint) ? toView(endpoint) : endpoint))
}

const historySchema = z.strictObject(
  {
    before: z.number('a revision').int('a revision').min(1, 'at least 1').optional(),
    limit: wholeNumberUpTo(1_000).optional(),
  },
  'an object of before and limit',
)

/** @throws {InvalidInputError} */
export function parseHistoryOptions(options: HistoryOptions): HistoryOptions {
  const { before, limit } = parseInput(historySchema, options, { subject: 'endpointHistory' })
  return { ...(before !== undefined && { before }), ...(limit !== undefined && { limit }) }
}

async function refuseWhileWaiting({ client, taskQueue }: RegistryParts, name: string): Promise<void> {
  const { count } = await client.workflow.count(waitingQuery(name, taskQueue))
  if (count === 0) return
  throw new SyncError(
    'ENDPOINT_HAS_WAITING',
    `endpoint ${JSON.stringify(name)} has ${count} deliveries waiting, which removing it would discard; ` +
      'remove it with discardWaiting (--discard-waiting) to discard them',
  )
}

export function endpointNotFound(name: string): never {
  throw new SyncError('ENDPOINT_NOT_FOUND', `endpoint ${JSON.stringify(name)} is not registered`)
}
