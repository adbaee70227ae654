import { randomBytes } from 'node:crypto'
import { digestOf } from '../http/secret-digest.js'

/**
 * What callers may do. `emit`: hand over events, and nothing else. `operate`: read everything, and change what
 * happens to deliveries and whether endpoints are paused. `admin`: everything.
 */
export const API_ROLES = ['emit', 'operate', 'admin'] as const
export type ApiRole = (typeof API_ROLES)[number]

const TOKEN_BYTES = 32

/** What is kept of a caller's token. */
export interface ApiToken {
  role: ApiRole
  /** SHA-256 of the token, in lower-case hexadecimal digits. */
  sha256: string
}

/** An entry of `SYNC_API_TOKENS`. */
export const API_TOKEN_ENTRY = new RegExp(`^(${API_ROLES.join('|')}):([0-9a-f]{64})$`)

/** What {@link API_TOKEN_ENTRY} accepts, for whoever gave something else. */
export const API_TOKENS_ACCEPTED =
  '<role>:<SHA-256 of the token in hexadecimal>, separated by commas, as `external-sync tokens create` prints them'

/** @param entry one that {@link API_TOKEN_ENTRY} accepts */
export function parseApiToken(entry: string): ApiToken {
  const [role, sha256 = ''] = entry.split(':')
  return { role: role as ApiRole, sha256 }
}

/** Makes a token for a caller, and the entry by which the API knows it. Its entropy makes a salt superfluous. */
export function createApiToken(role: ApiRole): { token: string; entry: string } {
  const token = `sync_${role}_${randomBytes(TOKEN_BYTES).toString('base64url')}`
  return { token, entry: `${role}:${digestOf(token).toString('hex')}` }
}

/** Whether a caller of this role may do what needs `needed`. */
export function mayDo(role: ApiRole, needed: ApiRole): boolean {
  return role === needed || role === 'admin'
}
