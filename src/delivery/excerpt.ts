import type { HttpResponse } from './exchange.js'
import { scrub } from './secrets.js'

const MAX_EXCERPT_BYTES = 1024

/** The beginning of a response's body as text on one line, without the secrets; undefined where there is none. */
export function excerptOf(
  { body, headers, isComplete }: Pick<HttpResponse, 'body' | 'headers' | 'isComplete'>,
  secrets: readonly string[],
): string | undefined {
  // We accept no encoding, so that a compressed body is a mistake and reads as nothing.
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity')
    return undefined
  const excerpt = firstBytes(scrub(body.toString(), secrets, !isComplete))
  return excerpt === '' ? undefined : excerpt
}

/** Cuts after the secrets have gone, so that no half of one is left at the end. */
function firstBytes(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_EXCERPT_BYTES) return text
  return bytes
    .subarray(0, MAX_EXCERPT_BYTES)
    .toString()
    .replace(/\uFFFD+$/, '')
}
