import { z } from 'zod'
import { ENDPOINT_STATUSES } from '../../domain/status.js'
import { listedEventSchema } from '../events/event-schemas.js'
import { flag, limitUpTo } from '../page-query.js'

const MATCH_ACCEPTED = 'a part of a name, of 1 to 100 characters'

const count = z.int().min(0)
const timestamp = z.iso.datetime()
const atLeast = z
  .literal(true)
  .optional()
  .meta({ description: 'There: more may wait, as so many wait in all that not each was looked at.' })

/** Which endpoints a status shows. */
export const statusQuery = z.strictObject({
  match: z
    .string(MATCH_ACCEPTED)
    .min(1, MATCH_ACCEPTED)
    .max(100, MATCH_ACCEPTED)
    .optional()
    .meta({ description: 'Only endpoints whose name has this in it, in whichever case.' }),
  limit: limitUpTo(200, 100),
  brief: flag.meta({
    description:
      'Answers sooner where so much waits that it would take long: what it says of the endpoints is a lower bound ' +
      'then, and says so. Default: false.',
  }),
})

const endpointStatusSchema = z
  .object({
    name: z.string(),
    state: z.enum(ENDPOINT_STATUSES).meta({
      description:
        '`upToDate`: nothing waits for it. `retrying`: its last attempts failed, and are made again soon. ' +
        '`behind`: deliveries wait for it. `paused`: an operator holds them back. `unusable`: its stored settings ' +
        'are not accepted.',
    }),
    reason: z.enum(['down', 'misconfigured', 'rejected']).optional().meta({
      description:
        'While it is behind: what its last failure came to. Absent where it delivers again, or is not known.',
    }),
    problem: z.string().optional().meta({ description: 'What of its settings is not accepted.' }),
    waiting: count.meta({ description: 'How many deliveries wait for it.' }),
    atLeast,
    since: timestamp.optional().meta({
      description:
        'Where deliveries wait: when the oldest was accepted. While it is retrying: its first failure.',
    }),
    orEarlier: z.literal(true).optional().meta({ description: 'There: one may wait since earlier.' }),
    lastDeliveredAt: timestamp.optional(),
    lastFailedAt: timestamp.optional(),
  })
  .meta({ id: 'EndpointStatus', description: 'Where an endpoint stands, a few seconds late.' })

const minuteSchema = z
  .object({
    at: timestamp.meta({ description: 'When the minute began.' }),
    delivered: count,
    failed: count,
    meanLatencyMs: z.number().optional().meta({ description: 'Of the requests that delivered.' }),
    maxLatencyMs: z.number().optional(),
  })
  .meta({ id: 'MinuteStatus', description: 'The attempts of all workers that ended in one minute.' })

/** How everything stands. */
export const statusSchema = z
  .object({
    namespace: z.string().meta({ description: 'The namespace in Temporal that this is about.' }),
    totals: z
      .object({ all: count, upToDate: count, retrying: count, behind: count, paused: count, unusable: count })
      .meta({ description: 'Of all endpoints, shown or not.' }),
    waiting: z.object({ count, atLeast }).meta({ description: 'Deliveries that wait, of all endpoints.' }),
    endpoints: z.array(endpointStatusSchema).meta({ description: 'Those in trouble first.' }),
    more: count.meta({ description: 'How many more endpoints there are that match.' }),
    events: z.array(listedEventSchema).meta({ description: 'The latest events.' }),
    minutes: z
      .array(minuteSchema)
      .meta({ description: 'Those of the last hour in which there were attempts.' }),
    temporalUiUrl: z.string().optional().meta({ description: 'Where the Temporal UI is.' }),
  })
  .meta({ id: 'SystemStatus', description: 'How everything stands, a second or two ago.' })
