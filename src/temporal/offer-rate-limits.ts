import proto from '@temporalio/proto'
import type { NativeConnection } from '@temporalio/worker'
import { MAX_ATTEMPTS_PER_SECOND } from '../domain/rate-limit.js'
import type { Logger } from '../logger.js'

/**
 * Lets Temporal pace the endpoints that have a rate limit, over all workers of the task queue: a server with
 * `matching.enableFairness` does, others ignore or refuse it, where each worker keeps the limit for itself.
 */
export async function offerRateLimits(
  { workflowService }: Pick<NativeConnection, 'workflowService'>,
  { namespace, taskQueue, logger }: { namespace: string; taskQueue: string; logger: Logger },
): Promise<void> {
  try {
    await workflowService.updateTaskQueueConfig({
      namespace,
      taskQueue,
      taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
      updateFairnessKeyRateLimitDefault: {
        rateLimit: { requestsPerSecond: MAX_ATTEMPTS_PER_SECOND },
        reason: 'rate limits of endpoints',
      },
    })
  } catch (error) {
    logger.debug({ err: error }, 'rate limits of endpoints hold for each worker by itself')
  }
}
