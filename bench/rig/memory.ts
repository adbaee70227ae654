import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const SAMPLE_INTERVAL_MS = 50
const BYTES_PER_MB = 1024 * 1024

/** Runs `work` and says how much memory this process held at most meanwhile, in MiB. */
export async function withPeakRss<T>(work: () => Promise<T>): Promise<{ result: T; peakRssMb: number }> {
  let peakRssMb = rssMb()
  const sampling = setInterval(() => (peakRssMb = Math.max(peakRssMb, rssMb())), SAMPLE_INTERVAL_MS)
  try {
    const result = await work()
    return { result, peakRssMb: Math.max(peakRssMb, rssMb()) }
  } finally {
    clearInterval(sampling)
  }
}

/** What this process holds after its main thread's garbage was collected, in MiB. */
export function settledRssMb(): number {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  return rssMb()
}

function rssMb(): number {
  return process.memoryUsage.rss() / BYTES_PER_MB
}
