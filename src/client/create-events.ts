import { InvalidInputError } from '../domain/errors.js'
import { createEvent, type EmitOptions, type SyncEvent } from '../domain/event.js'
import { showValue } from '../domain/parse-input.js'

/** One event of `emitMany`: what `emit` takes, in one object. */
export interface EventToEmit extends EmitOptions {
  type: string
  data: unknown
}

/**
 * Makes the events of one `emitMany` call.
 * @throws {InvalidInputError} on the first that is refused; its fields are named as `events[3].data`
 */
export function createEvents(events: readonly EventToEmit[], maxDataBytes: number): SyncEvent[] {
  if (!Array.isArray(events)) refuse('events', events, 'an array of events')
  return Array.from(events, (event: EventToEmit, index) => {
    const field = `events[${index}]`
    if (typeof event !== 'object' || event === null)
      return refuse(field, event, 'an object of type, data and the options id, key and time')
    const { type, data, ...options } = event
    try {
      return createEvent(type, data, options, maxDataBytes)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      throw new InvalidInputError(
        'emitMany',
        error.problems.map((problem) => ({ ...problem, field: `${field}.${problem.field}` })),
      )
    }
  })
}

function refuse(field: string, value: unknown, accepted: string): never {
  throw new InvalidInputError('emitMany', [{ field, value: showValue(value), accepted }])
}
