import { once } from 'node:events'
import { Session } from 'node:inspector/promises'

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

/** What this process holds after the garbage of all its threads was collected, in MiB. */
export interface SettledMemory {
  rssMb: number
  /** What is reached in the heaps of all threads. */
  heapMb: number
}

/** Collects the garbage of each thread by the inspector, as a thread has no other way to reach the heap of another. */
export async function settledMemory(): Promise<SettledMemory> {
  const session = new Session()
  session.connect()
  try {
    const threads: string[] = []
    session.on('NodeWorker.attachedToWorker', ({ params }) => threads.push(params.sessionId))
    await session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
    let heapBytes = 0
    for (const thread of threads) {
      await askThread(session, thread, 'HeapProfiler.collectGarbage')
      heapBytes += (await askThread(session, thread, 'Runtime.getHeapUsage')).usedSize
    }
    await session.post('HeapProfiler.collectGarbage')
    heapBytes += process.memoryUsage().heapUsed
    return { rssMb: rssMb(), heapMb: heapBytes / BYTES_PER_MB }
  } finally {
    session.disconnect()
  }
}

/** One question at a time, as an answer does not say which thread it is from. */
async function askThread(session: Session, sessionId: string, method: string): Promise<{ usedSize: number }> {
  const answered = once(session, 'NodeWorker.receivedMessageFromWorker')
  await session.post('NodeWorker.sendMessageToWorker', {
    sessionId,
    message: JSON.stringify({ id: 1, method }),
  })
  const [{ params }] = (await answered) as [{ params: { message: string } }]
  return (JSON.parse(params.message) as { result: { usedSize: number } }).result
}

function rssMb(): number {
  return process.memoryUsage.rss() / BYTES_PER_MB
}
