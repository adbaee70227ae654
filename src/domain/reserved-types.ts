/** Events about the deliveries themselves; only an endpoint whose `events` name them gets them. */
const OPERATIONAL_EVENT_TYPES = [
  'external-sync.endpoint.failing',
  'external-sync.endpoint.recovered',
  'external-sync.delivery.rejected',
] as const

/** What the types of this project's own events and workflows begin with. */
const RESERVED_PREFIX = 'external-sync.'

/** Whether it is one of this project's own events. */
function isOperational(type: string): boolean {
  return (OPERATIONAL_EVENT_TYPES as readonly string[]).includes(type)
}

/** Whether no event can have this type. */
export function isReserved(type: string): boolean {
  return type.startsWith(RESERVED_PREFIX) && !isOperational(type)
}

/** Whether only this project emits events of this type. */
export function isOwn(type: string): boolean {
  return type.startsWith(RESERVED_PREFIX)
}
