import type { Connection } from '@temporalio/client'
import { SyncError } from '../domain/errors.js'
import { SEARCH_ATTRIBUTES } from '../domain/search-attributes.js'
import { failedWith } from './grpc-status.js'

/** `temporal.api.enums.v1.IndexedValueType`, as the Temporal CLI spells it. */
const TYPES = { Text: 1, Keyword: 2, Int: 3, Double: 4, Bool: 5, Datetime: 6, KeywordList: 7 } as const

/** The name of one of the project's search attributes. */
export type SearchAttributeName = keyof typeof SEARCH_ATTRIBUTES

/** What a namespace lacks of the project's search attributes. */
export interface SearchAttributeGaps {
  missing: readonly SearchAttributeName[]
  /** There, but with another type. */
  mismatched: readonly { name: SearchAttributeName; found: string; expected: string }[]
}

const NAMES = Object.keys(SEARCH_ATTRIBUTES) as SearchAttributeName[]

type AttributeConnection = Pick<Connection, 'workflowService' | 'operatorService'>

/**
 * Compares a namespace's search attributes with the project's. A server that does not list them (Temporal
 * Cloud, or a role without the right) is asked by a query for each, which shows no type.
 *
 * @returns undefined where the server does not let itself be asked at all, such as a test server
 */
export async function findSearchAttributeGaps(
  connection: AttributeConnection,
  namespace: string,
): Promise<SearchAttributeGaps | undefined> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
    return {
      missing: NAMES.filter((name) => customAttributes[name] === undefined),
      mismatched: NAMES.flatMap((name) => {
        const expected = SEARCH_ATTRIBUTES[name]
        const found = typeName(customAttributes[name] ?? TYPES[expected])
        return found === expected ? [] : [{ name, found, expected }]
      }),
    }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return gapsByQuery(connection, namespace)
  }
}

/** Adds search attributes of the project, which the server may list a little later; one that is there is left. */
export async function addSearchAttributes(
  { operatorService }: Pick<Connection, 'operatorService'>,
  namespace: string,
  names: readonly SearchAttributeName[] = NAMES,
): Promise<void> {
  const searchAttributes = Object.fromEntries(names.map((name) => [name, TYPES[SEARCH_ATTRIBUTES[name]]]))
  try {
    await operatorService.addSearchAttributes({ namespace, searchAttributes })
  } catch (error) {
    if (!failedWith(error, 'ALREADY_EXISTS')) throw error
  }
}

/** @throws {SyncError} `TEMPORAL_SEARCH_ATTRIBUTE_MISMATCH` naming each that has another type, and what to do */
export function refuseMismatched(
  { mismatched }: SearchAttributeGaps,
  namespace: string,
  address: string,
): void {
  if (mismatched.length === 0) return
  throw new SyncError('TEMPORAL_SEARCH_ATTRIBUTE_MISMATCH', describeMismatch(mismatched, namespace, address))
}

function describeMismatch(
  mismatched: SearchAttributeGaps['mismatched'],
  namespace: string,
  address: string,
): string {
  const list = mismatched.map(({ name, found, expected }) => `${name} is ${found} and not ${expected}`)
  const flags = mismatched.map(({ name }) => `--name ${name}`).join(' ')
  return (
    `namespace "${namespace}" of Temporal at ${address} has search attributes of another type: ` +
    `${list.join(', ')}; use a namespace of its own (TEMPORAL_NAMESPACE), or, where nothing else uses them, ` +
    `remove them with \`temporal operator search-attribute remove --namespace ${namespace} ` +
    `--address ${address} ${flags}\` and run \`npx external-sync setup\``
  )
}

async function gapsByQuery(
  { workflowService }: Pick<Connection, 'workflowService'>,
  namespace: string,
): Promise<SearchAttributeGaps | undefined> {
  const missing: SearchAttributeName[] = []
  for (const name of NAMES) {
    try {
      await workflowService.countWorkflowExecutions({ namespace, query: `${name} IS NOT NULL` })
    } catch (error) {
      if (isRefusal(error)) return undefined
      if (!failedWith(error, 'INVALID_ARGUMENT')) throw error
      missing.push(name)
    }
  }
  return { missing, mismatched: [] }
}

/** What a server answers that has no such service, or does not offer it to this caller. */
function isRefusal(error: unknown): boolean {
  return failedWith(error, 'UNIMPLEMENTED', 'PERMISSION_DENIED', 'UNAUTHENTICATED')
}

function typeName(type: number): string {
  return Object.entries(TYPES).find(([, value]) => value === type)?.[0] ?? `type ${type}`
}
