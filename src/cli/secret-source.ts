import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { InvalidInputError } from '../domain/errors.js'
import { readSource, type NamedInput } from './read-input.js'

/** Stands for a question on the terminal where a source is asked for. */
const PROMPT = 'prompt'

/** Where secrets come from, for the help of the options that name a source. */
export const SOURCES = `${PROMPT} (asked without echo), - (standard input) or a file`

/**
 * Reads a secret from a source that neither the shell's history nor the list of processes shows. A line break at
 * its end goes.
 * @throws {InvalidInputError} which shows nothing of what was given, as it may be the secret itself
 */
export async function readSecret(source: string, what: string, input: NamedInput): Promise<string> {
  if (source === PROMPT) return askSecret(what, input)
  const secret = await readSource(source, { ...input, isSecret: true })
  return secret.replace(/\r?\n$/, '')
}

async function askSecret(what: string, { subject, field }: NamedInput): Promise<string> {
  if (!process.stdin.isTTY) {
    const accepted = 'a terminal to ask on; without one, use - for standard input, or a file'
    throw new InvalidInputError(subject, [{ field, value: PROMPT, accepted }])
  }
  // What readline would echo goes nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output, terminal: true })
  // The terminal itself has ceased to echo by now.
  process.stderr.write(`${what}: `)
  const ended = new AbortController()
  reader.once('SIGINT', () => ended.abort())
  reader.once('close', () => ended.abort())
  try {
    const [secret] = (await once(reader, 'line', { signal: ended.signal })) as [string]
    return secret
  } catch {
    throw new InvalidInputError(subject, [{ field, accepted: 'a secret, of which none was entered' }])
  } finally {
    reader.close()
    process.stderr.write('\n')
  }
}
