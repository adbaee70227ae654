import type { Connection } from '@temporalio/client'
import { SyncError } from '../domain/errors.js'
import { accessDenied } from './connection-fault.js'
import { failedWith, grpcStatus } from './grpc-status.js'
import { findSearchAttributeGaps, refuseMismatched } from './search-attributes.js'

/** What {@link checkNamespace} asks of a connection. */
type NamespaceConnection = Pick<Connection, 'workflowService' | 'operatorService'>

/**
 * Checks what a workflow task would otherwise stumble over for ever.
 * @throws {SyncError} `TEMPORAL_NAMESPACE_MISSING`, `TEMPORAL_SEARCH_ATTRIBUTE_MISSING` or
 * `TEMPORAL_SEARCH_ATTRIBUTE_MISMATCH`, with what to do; `TEMPORAL_ACCESS_DENIED`
 */
export async function checkNamespace(
  connection: NamespaceConnection,
  namespace: string,
  address: string,
): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace })
  } catch (cause) {
    if (failedWith(cause, 'NOT_FOUND')) throw namespaceMissing(namespace, address, cause)
    throw accessDenied(cause, address, namespace) ?? cause
  }
  const gaps = await findSearchAttributeGaps(connection, namespace).catch((error: unknown) => {
    // The server has a hiccup, or does not know a new namespace everywhere yet: no reason not to start.
    if (grpcStatus(error) === undefined) throw error
  })
  if (gaps === undefined) return
  refuseMismatched(gaps, namespace, address)
  if (gaps.missing.length === 0) return
  throw new SyncError(
    'TEMPORAL_SEARCH_ATTRIBUTE_MISSING',
    `namespace "${namespace}" of Temporal at ${address} lacks the search attributes ` +
      `${gaps.missing.join(', ')}; create them with \`npx external-sync setup\``,
  )
}

function namespaceMissing(namespace: string, address: string, cause: unknown): SyncError {
  return new SyncError(
    'TEMPORAL_NAMESPACE_MISSING',
    `Temporal at ${address} has no namespace "${namespace}"; create it with \`npx external-sync setup\`, ` +
      'or set TEMPORAL_NAMESPACE to one of its own',
    { cause },
  )
}
