import type { Client } from '@temporalio/client'
import type { EndpointHealth } from '../delivery/endpoint-health.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { Logger } from '../logger.js'
import { startRelease } from '../temporal/start-release.js'

interface RecoveryDependencies {
  client: Client
  taskQueue: string
  health: EndpointHealth
  logger: Logger
}

/**
 * Releases what waits for an endpoint that is back. The attempt that found out does not wait for that, and
 * where it fails each delivery goes on at its own time, of which the next success tells again.
 */
export function createRecovery({ client, taskQueue, health, logger }: RecoveryDependencies) {
  return function recover(endpoint: Endpoint): void {
    logger.info({ endpoint: endpoint.name }, 'the endpoint is back: what waits for it is released')
    startRelease({ client, taskQueue }, endpoint.name, { recovered: true }).catch((error: unknown) => {
      health.forgetRecovery(endpoint)
      logger.warn(
        { err: error, endpoint: endpoint.name },
        'what waits for the endpoint could not be released',
      )
    })
  }
}
