import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity'
import type { Logger } from 'pino'
import { classify } from '../delivery/classify.js'
import type { AttemptResult, Sender } from '../delivery/send.js'
import type { RoundOutcome } from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { backoffMs, DEFAULT_RETRY_POLICY, retryAfterMs } from '../domain/retry-schedule.js'
import type { EndpointStore } from '../store/endpoint-store.js'
import { retryable } from './retryable.js'

/** How often a running attempt tells the server that its worker lives, in milliseconds. */
const HEARTBEAT_INTERVAL_MS = 3_000

interface DeliverDependencies {
  store: EndpointStore
  sender: Sender
  logger: Logger
  random?: () => number
}

/** One round: each execution is one attempt, and what Temporal should retry is thrown. */
export function createDeliver({ store, sender, logger, random = Math.random }: DeliverDependencies) {
  return async function deliver(endpointName: string, event: SyncEvent): Promise<RoundOutcome> {
    const { attempt } = activityInfo()
    const endpoint = await store.get(endpointName)
    if (endpoint === undefined) {
      return { kind: 'discarded', reason: 'the endpoint was removed', attempts: attempt - 1 }
    }
    const startedAt = performance.now()
    const beating = setInterval(() => heartbeat(), HEARTBEAT_INTERVAL_MS)
    let result: AttemptResult
    try {
      result = await sender.send(endpoint, event, cancellationSignal())
    } finally {
      clearInterval(beating)
    }
    const verdict = classify(result)
    const outcome = describeOutcome(result)
    logger.info(
      {
        endpoint: endpointName,
        eventType: event.type,
        eventId: event.id,
        attempt,
        verdict: verdict.kind === 'wait' ? verdict.reason : verdict.kind,
        ...outcome,
        durationMs: Math.round(performance.now() - startedAt),
      },
      'attempt',
    )
    switch (verdict.kind) {
      case 'delivered':
        return { kind: 'delivered', attempts: attempt, ...outcome }
      case 'wait':
        return { kind: 'waiting', reason: verdict.reason, attempts: attempt, ...outcome }
      case 'retry':
        throw retryable(`${endpointName}: ${outcome.error}`, {
          evidence: outcome,
          nextRetryDelayMs: retryAfterOf(result) ?? backoffMs(DEFAULT_RETRY_POLICY, attempt, random()),
        })
    }
  }
}

function describeOutcome(result: AttemptResult): { status?: number; error?: string } {
  if (result.kind === 'failure') return { error: `${result.code}: ${result.message}` }
  const { status } = result
  return status < 300 ? { status } : { status, error: `HTTP ${status}` }
}

function retryAfterOf(result: AttemptResult): number | undefined {
  return result.kind === 'response' ? retryAfterMs(result.retryAfter, new Date()) : undefined
}
