import { hasDigest } from '../http/secret-digest.js'
import type { ApiToken } from './api-token.js'

/** A token with its hash in the form that is compared. */
export interface KnownToken extends ApiToken {
  digest: Buffer
}

export function knownTokens(tokens: readonly ApiToken[]): KnownToken[] {
  return tokens.map(({ role, sha256 }) => ({ role, sha256, digest: Buffer.from(sha256, 'hex') }))
}

/** What a token is known as: one may be there with several roles. Each is compared, so that the time tells nothing. */
export function findToken(known: readonly KnownToken[], token: string): KnownToken[] {
  return known.filter(({ digest }) => hasDigest(token, digest))
}

/** A token as the log names it: its role and the beginning of its hash. */
export function callerOf({ role, sha256 }: ApiToken): string {
  return `${role}:${sha256.slice(0, 8)}`
}
