import type { RuntimeOptions } from '@temporalio/worker'
import { request } from 'undici'
import { choosePort } from '../embedded/ports.js'

const LOOPBACK = '127.0.0.1'
const READ_TIMEOUT_MS = 5_000

/** The metrics of Temporal's SDK, which only its own exporter knows: https://docs.temporal.io/references/sdk-metrics. */
export interface SdkMetrics {
  /** For `Runtime.install`. */
  telemetryOptions: NonNullable<RuntimeOptions['telemetryOptions']>
  /** In Prometheus' text format; a comment that says why where they cannot be read. */
  text: () => Promise<string>
}

/** Has the SDK serve its metrics on a free port of this machine, so that the process can show all in one place. */
export async function openSdkMetrics(): Promise<SdkMetrics> {
  const port = await choosePort(LOOPBACK, { purpose: 'the metrics of the SDK', requested: 0, preferred: 0 })
  const address = `${LOOPBACK}:${port}`
  return {
    // Seconds, as Prometheus' other metrics have them.
    telemetryOptions: { metrics: { prometheus: { bindAddress: address, useSecondsForDurations: true } } },
    text: async () => {
      try {
        const { statusCode, body } = await request(`http://${address}/metrics`, {
          signal: AbortSignal.timeout(READ_TIMEOUT_MS),
        })
        const text = await body.text()
        return statusCode === 200 ? text : `# Temporal’s SDK answered ${statusCode}\n`
      } catch (error) {
        return `# the metrics of Temporal’s SDK cannot be read: ${(error as Error).message.replaceAll('\n', ' ')}\n`
      }
    },
  }
}
