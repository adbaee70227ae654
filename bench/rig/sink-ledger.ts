import type { Arrival, Audit, Expectation } from './sink-messages.js'

const SHOWN_EXAMPLES = 5

/** What the sink knows of one phase. */
interface Phase {
  received: number
  /** By event and path: when it was answered first, and how often. */
  answered: Map<string, { event: number; atMs: number; times: number }>
  waiting: { count: number; of: 'received' | 'answered'; resolve: () => void }[]
}

/** Counts each request by phase, event and path. */
export class SinkLedger {
  readonly #phases = new Map<string, Phase>()

  /** A request came in, whatever becomes of it. */
  receive(phase: string): void {
    const entry = this.#phase(phase)
    entry.received += 1
    wake(entry)
  }

  /** A request was answered with success. */
  answer(phase: string, event: number, path: string, atMs: number): void {
    const entry = this.#phase(phase)
    const key = keyOf(event, path)
    const known = entry.answered.get(key)
    if (known !== undefined) {
      known.times += 1
      return
    }
    entry.answered.set(key, { event, atMs, times: 1 })
    wake(entry)
  }

  until(phase: string, count: number, of: 'received' | 'answered'): Promise<void> {
    const entry = this.#phase(phase)
    return new Promise((resolve) => {
      entry.waiting.push({ count, of, resolve })
      wake(entry)
    })
  }

  arrivals(phase: string): Arrival[] {
    return [...this.#phase(phase).answered.values()].map(({ event, atMs }) => [event, atMs] as const)
  }

  audit({ phase, events, paths }: Expectation): Audit {
    const { answered } = this.#phase(phase)
    const lost: string[] = []
    const unexpected = new Set(answered.keys())
    for (let event = 0; event < events; event += 1) {
      for (const path of paths) {
        const key = keyOf(event, path)
        if (answered.has(key)) unexpected.delete(key)
        else lost.push(key)
      }
    }
    const repeated = [...answered].filter(([, { times }]) => times > 1)
    const repeats = repeated.reduce((sum, [, { times }]) => sum + times - 1, 0)
    const show = (what: string, keys: readonly string[]): string[] =>
      keys.slice(0, SHOWN_EXAMPLES).map((key) => `${what}: event ${phase}.${key}`)
    return {
      lost: lost.length,
      duplicates: repeats + unexpected.size,
      examples: [
        ...show('lost', lost),
        ...show(
          'doubled',
          repeated.map(([key]) => key),
        ),
        ...show('unexpected', [...unexpected]),
      ],
    }
  }

  #phase(name: string): Phase {
    const known = this.#phases.get(name)
    if (known !== undefined) return known
    const phase: Phase = { received: 0, answered: new Map(), waiting: [] }
    this.#phases.set(name, phase)
    return phase
  }
}

function wake(phase: Phase): void {
  if (phase.waiting.length === 0) return
  const reached = { received: phase.received, answered: phase.answered.size }
  const isDue = ({ count, of }: { count: number; of: keyof typeof reached }): boolean => reached[of] >= count
  for (const { resolve } of phase.waiting.filter(isDue)) resolve()
  phase.waiting = phase.waiting.filter((waiter) => !isDue(waiter))
}

function keyOf(event: number, path: string): string {
  return `${event} ${path}`
}
