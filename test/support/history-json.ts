import { createRequire } from 'node:module'
import type { History } from '@temporalio/common/lib/proto-utils.js'

/** A history as Temporal's tools write it. */
export type HistoryJson = { events: Record<string, unknown>[] }

interface ProtoJson {
  toJson(type: object, message: History): HistoryJson
  fromJson(type: object, json: HistoryJson): History
}

/**
 * `historyToJSON` and `historyFromJSON` of the SDK fail where npm installs protobufjs more than once ("type
 * must be a Type"): these use the one that made the types.
 */
const requireFromCommon = createRequire(createRequire(import.meta.url).resolve('@temporalio/common'))
const requireFromProto = createRequire(requireFromCommon.resolve('@temporalio/proto'))
const protoJson = requireFromProto('protobufjs/ext/protojson') as ProtoJson
const { patchProtobufRoot } = requireFromProto('@temporalio/proto/lib/patch-protobuf-root') as {
  patchProtobufRoot: (root: object) => { lookupType(name: string): { fromObject(message: object): History } }
}
const historyType = patchProtobufRoot(requireFromProto('@temporalio/proto') as object).lookupType(
  'temporal.api.history.v1.History',
)

export function historyToJson(history: History): HistoryJson {
  return protoJson.toJson(historyType, historyType.fromObject(history))
}

export function historyFromJson(json: HistoryJson): History {
  return protoJson.fromJson(historyType, json)
}
