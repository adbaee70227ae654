import { z } from 'zod'
import { replayOptionsSchema } from '../../client/replays.js'
import { timestampSchema } from '../../domain/event.js'
import { REPLAY_HOLDS, REPLAY_STATES } from '../../domain/replay.js'

export const replayPath = z.object({ id: z.string() })

const { endpoint, type, state, perSecond } = replayOptionsSchema.shape

/** Which past events are sent to which endpoint. */
export const startReplaySchema = z
  .strictObject(
    {
      endpoint: endpoint.meta({ description: 'It gets what it is subscribed to, and nothing else.' }),
      since: timestampSchema.meta({ description: 'Events that were accepted then or later.' }),
      until: timestampSchema.optional().meta({ description: 'Accepted before then. Default: now.' }),
      type: type.meta({ description: 'An event type, or `policy.*` for all that begin so. Default: all.' }),
      state: state.meta({
        description:
          'Only events whose own delivery to the endpoint is `delivered`, `discarded`, `absent`, where it was not ' +
          'among their endpoints, or `undelivered`, which is either of both. Default: all.',
      }),
      perSecond: perSecond.meta({ description: 'Events that are sent in a second at most.' }),
    },
    'an object of endpoint, since, until, type, state and perSecond',
  )
  .meta({ id: 'ReplayRequest', description: 'Past events to send to an endpoint.' })

const timestamp = z.iso.datetime()
const count = z.int().min(0)

/** A replay as it is shown. */
export const replaySchema = z
  .object({
    id: z.string(),
    status: z.enum(['running', 'paused', 'completed', 'cancelled', 'failed']),
    endpoint: z.string(),
    since: timestamp,
    until: timestamp,
    reachesBackTo: timestamp.meta({ description: 'From then on, Temporal still has everything.' }),
    type: z.string().optional(),
    state: z.enum(REPLAY_STATES).optional(),
    perSecond: z.number(),
    startedAt: timestamp,
    endedAt: timestamp.optional(),
    total: count.optional().meta({ description: 'Events to look at; absent until they are counted.' }),
    sent: count.meta({ description: 'Events that were sent, whatever has come of it.' }),
    wentOn: count.meta({ description: 'Of them, those that were not taken at once.' }),
    waiting: count.meta({ description: 'Of them, those that are still to be taken.' }),
    discarded: count.meta({ description: 'Of them, those that were given up; counted at the end.' }),
    skipped: count.meta({ description: 'Events of another type or state.' }),
    missing: count.meta({ description: 'Events that Temporal has forgotten since they were counted.' }),
    heldUp: z.enum(REPLAY_HOLDS).optional().meta({
      description: 'Why nothing is sent: the endpoint is paused or down, or many events wait already.',
    }),
  })
  .meta({ id: 'Replay', description: '`sent - waiting - discarded` is what the endpoint has taken.' })

export const replaysAnswer = z.object({ replays: z.array(replaySchema) })
