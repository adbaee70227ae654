import { createHash, timingSafeEqual } from 'node:crypto'

/** SHA-256: digests have the same length, which a comparison in constant time needs. */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Whether `text` has this digest; takes as long whatever it is. */
export function hasDigest(text: string, digest: Buffer): boolean {
  return timingSafeEqual(digestOf(text), digest)
}

/** The token of `Authorization: Bearer …` (RFC 6750, section 2.1), or undefined where it is something else. */
export function bearerToken(authorization = ''): string | undefined {
  return /^bearer +(\S+)$/i.exec(authorization)?.[1]
}
