import { existsSync, readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second on all its usual platforms (`getconf CLK_TCK`). */
const TICK_MS = 10

/** CPU time of the processes that take part, in milliseconds; undefined where it cannot be read. */
export interface CpuTimes {
  /** The Temporal server with its database. */
  server: number | undefined
  /** The measured process: emitters and worker, all threads. */
  worker: number | undefined
  sink: number | undefined
}

/** Processes by what they are; a server elsewhere has no id. */
export interface MeasuredProcesses {
  serverPid: number | undefined
  sinkPid: number
}

/** Reads what has been used so far. */
export function readCpuTimes({ serverPid, sinkPid }: MeasuredProcesses): CpuTimes {
  const { user, system } = process.cpuUsage()
  return {
    server: serverPid === undefined ? undefined : processTimeMs(serverPid),
    worker: (user + system) / 1_000,
    sink: processTimeMs(sinkPid),
  }
}

/** What was used between two readings, for each of so many deliveries. */
export function cpuPerDelivery(before: CpuTimes, after: CpuTimes, deliveries: number): CpuTimes {
  const used = (part: keyof CpuTimes): number | undefined => {
    const [from, to] = [before[part], after[part]]
    return from === undefined || to === undefined ? undefined : (to - from) / deliveries
  }
  return { server: used('server'), worker: used('worker'), sink: used('sink') }
}

/** User and system time of a process on Linux (proc(5), fields 14 and 15 of `stat`). */
function processTimeMs(pid: number): number | undefined {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  const stat = readFileSync(file, 'utf8')
  // The name before may hold spaces; what follows it begins with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
