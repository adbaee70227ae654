import { SyncError } from '../domain/errors.js'
import { SEARCH_ATTRIBUTES } from '../domain/search-attributes.js'
import { grpcStatus } from './grpc-status.js'

/** What a failure names. */
interface SetupPlace {
  namespace: string
  address: string
  retentionDays?: number | undefined
}

/** The server does not let this caller administer it, as Temporal Cloud lets nobody. */
export function setupRefused({ namespace, address, retentionDays = 30 }: SetupPlace): SyncError {
  const attributes = Object.entries(SEARCH_ATTRIBUTES)
  const cloud = attributes.map(([name, type]) => `--search-attribute "${name}=${type}"`).join(' ')
  const own = attributes.map(([name, type]) => `--name ${name} --type ${type}`).join(' ')
  return new SyncError(
    'TEMPORAL_SETUP_FAILED',
    `Temporal at ${address} does not let this caller administer namespace "${namespace}". What is missing can ` +
      'be made by somebody who may, and `npx external-sync doctor` shows what that is.\n' +
      'In Temporal Cloud, in its UI or with:\n' +
      `  tcld namespace create --namespace <name> --region <region> --retention-days ${retentionDays}\n` +
      `  tcld namespace retention set --namespace ${namespace} --retention-days ${retentionDays}\n` +
      `  tcld namespace search-attributes add --namespace ${namespace} ${cloud}\n` +
      'On a server of your own, with a role that may:\n' +
      `  temporal operator namespace create --namespace ${namespace} --retention ${retentionDays}d\n` +
      `  temporal operator search-attribute create --namespace ${namespace} ${own}`,
  )
}

/** What was made did not become usable. */
export function setupTimedOut(
  { namespace, address }: SetupPlace,
  timeoutMs: number,
  problem: unknown,
): SyncError {
  const last = grpcStatus(problem)
  return new SyncError(
    'TEMPORAL_SETUP_FAILED',
    `namespace "${namespace}" of Temporal at ${address} was not usable within ${timeoutMs / 1_000} s` +
      `${last === undefined ? '' : ` (${last.details})`}; run \`npx external-sync setup\` again`,
    { cause: problem },
  )
}

/** The server does not accept what it was asked to make. */
export function setupFailed({ namespace, address }: SetupPlace, cause: unknown): SyncError {
  return new SyncError(
    'TEMPORAL_SETUP_FAILED',
    `Temporal at ${address} could not set up namespace "${namespace}": ${grpcStatus(cause)?.details ?? 'no reason given'}; ` +
      'correct that (TEMPORAL_NAMESPACE, --retention-days), and run `npx external-sync setup` again',
    { cause },
  )
}
