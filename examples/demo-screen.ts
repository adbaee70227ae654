import { WriteStream } from 'node:tty'
import type { Delivery } from 'external-sync'
import ora from 'ora'
import pc from 'picocolors'

const TYPE_WIDTH = 16
const NAME_WIDTH = 17

/** One attempt as the worker logs it. */
export interface AttemptLine {
  time: string
  endpoint: string
  eventType: string
  attempt: number
  outcome: string
  status?: number
  error?: string
  durationMs: number
}

/** What the demo shows: colours and a spinner on a terminal, plain lines elsewhere. */
export interface Screen {
  title(text: string): void
  say(text: string): void
  failure(text: string): void
  attempt(line: AttemptLine): void
  /** Says when a delivery will be tried again, once for each attempt. */
  wait(eventType: string, delivery: Delivery): void
  /** Shows a step that takes a while. */
  progress(text: string): { update(text: string): void; done(text?: string): void }
}

export function createScreen(output: WriteStream): Screen {
  const colours = pc.createColors(output instanceof WriteStream && pc.isColorSupported)
  const shownWaits = new Set<string>()
  const line = (text: string): void => void output.write(`${text}\n`)
  const route = (at: Date, eventType: string, endpoint: string): string =>
    `${colours.dim(at.toTimeString().slice(0, 8))}  ${eventType.padEnd(TYPE_WIDTH)}  →  ${endpoint.padEnd(NAME_WIDTH)}`

  return {
    title: (text) => line(`\n${colours.bold(text)}`),
    say: line,
    failure: (text) => line(`\n${colours.red(`✗ ${text}`)}`),
    attempt: ({ time, eventType, endpoint, attempt, outcome, status, error, durationMs }) => {
      const answer = outcome === 'delivered' ? colours.green(`✓ ${status}`) : colours.red(`✗ ${error}`)
      const detail = colours.dim(`(attempt ${attempt}, ${durationMs} ms)`)
      line(`${route(new Date(time), eventType, endpoint)}  ${answer}  ${detail}`)
    },
    wait: (eventType, { endpoint, attempts, nextRetryAt }) => {
      const waitMs = nextRetryAt === undefined ? 0 : Date.parse(nextRetryAt) - Date.now()
      const wait = `${eventType} ${endpoint} ${attempts}`
      if (waitMs <= 0 || shownWaits.has(wait)) return
      shownWaits.add(wait)
      const seconds = (waitMs / 1_000).toFixed(1)
      line(`${route(new Date(), eventType, endpoint)}  ${colours.yellow(`… next attempt in ${seconds} s`)}`)
    },
    progress: (first) => {
      // A terminal without a width, as some containers have, would keep a spinner busy for ever.
      if (!output.isTTY || !(output.columns > 0)) {
        line(first)
        return { update: line, done: (text) => void (text !== undefined && line(text)) }
      }
      const spinner = ora({ text: first, stream: output, discardStdin: false }).start()
      return {
        update: (text) => void (spinner.text = text),
        done: (text) => void (text === undefined ? spinner.stop() : spinner.succeed(text)),
      }
    },
  }
}
