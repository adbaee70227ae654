import type { Connection } from '@temporalio/client'
import { SyncError } from '../domain/errors.js'
import { SEARCH_ATTRIBUTES } from '../domain/search-attributes.js'
import { GRPC, grpcStatus } from './grpc-status.js'

/** What {@link checkNamespace} asks of a connection. */
type NamespaceConnection = Pick<Connection, 'workflowService' | 'operatorService'>

/**
 * Checks what a workflow task would otherwise stumble over for ever.
 * @throws {SyncError} `TEMPORAL_NAMESPACE_MISSING` or `TEMPORAL_SEARCH_ATTRIBUTE_MISSING`, with the command
 * that creates it
 */
export async function checkNamespace(
  connection: NamespaceConnection,
  namespace: string,
  address: string,
): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace })
  } catch (cause) {
    if (grpcStatus(cause)?.code !== GRPC.NOT_FOUND) throw cause
    throw new SyncError(
      'TEMPORAL_NAMESPACE_MISSING',
      `Temporal at ${address} has no namespace "${namespace}"; create it with ` +
        `\`temporal operator namespace create --namespace ${namespace} --address ${address}\`, ` +
        'or set TEMPORAL_NAMESPACE to one of its own',
      { cause },
    )
  }
  const missing = await missingSearchAttributes(connection, namespace)
  if (missing.length === 0) return
  const flags = missing.map(([name, type]) => `--name ${name} --type ${type}`).join(' ')
  throw new SyncError(
    'TEMPORAL_SEARCH_ATTRIBUTE_MISSING',
    `namespace "${namespace}" of Temporal at ${address} lacks the search attributes ` +
      `${missing.map(([name]) => name).join(', ')}; create them with ` +
      `\`temporal operator search-attribute create --namespace ${namespace} --address ${address} ${flags}\``,
  )
}

/** A server that does not let itself be asked (a test server, or a role without the right) is believed. */
async function missingSearchAttributes(
  connection: NamespaceConnection,
  namespace: string,
): Promise<[name: string, type: string][]> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
    return Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => customAttributes?.[name] === undefined)
  } catch (error) {
    if (grpcStatus(error) !== undefined) return []
    throw error
  }
}
