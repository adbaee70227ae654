import { listedBytes, MAX_LIST_BYTES } from './search-attributes.js'

/** Deliveries of one workflow: far fewer than the activities that may be pending, and a history within its limits. */
const MAX_DELIVERIES = 100

/** Parts into which one workflow splits. */
const MAX_PARTS = 100

/**
 * What the copies of an event in one history may take, in bytes: a round of each delivery holds one, or the start
 * of each part. From 4 MiB, Temporal suggests to continue as new, which would only copy them again.
 */
const MAX_COPIED_BYTES = 2.5 * 1024 * 1024

/**
 * Whether one workflow takes the deliveries of an event to these endpoints.
 * @param eventBytes as JSON
 */
export function fitsOneWorkflow(endpoints: readonly string[], eventBytes: number): boolean {
  return endpoints.length <= deliveriesPerWorkflow(endpoints, eventBytes)
}

function deliveriesPerWorkflow(endpoints: readonly string[], eventBytes: number): number {
  const longest = endpoints.reduce((most, name) => Math.max(most, listedBytes(name)), 0)
  // A release finds those that wait by their names in a search attribute.
  const named = Math.floor(MAX_LIST_BYTES / longest)
  return Math.max(1, Math.min(MAX_DELIVERIES, named, Math.floor(MAX_COPIED_BYTES / eventBytes)))
}

/**
 * Splits what is too much for one workflow into parts of about the same size, in order. A part may be too much
 * too, and is split again by the workflow that gets it.
 */
export function splitIntoParts(endpoints: readonly string[], eventBytes: number): string[][] {
  const wanted = Math.ceil(endpoints.length / deliveriesPerWorkflow(endpoints, eventBytes))
  const most = Math.max(2, Math.min(MAX_PARTS, Math.floor(MAX_COPIED_BYTES / eventBytes)))
  const count = Math.min(wanted, most)
  return Array.from({ length: count }, (_, index) =>
    endpoints.slice(
      Math.floor((index * endpoints.length) / count),
      Math.floor(((index + 1) * endpoints.length) / count),
    ),
  )
}
