import type { Endpoint } from '../../domain/endpoint.js'
import { VersionCache } from '../version-cache.js'
import type { AccessToken } from './request-token.js'

/** A token is renewed this long before it expires, or a tenth of its lifetime where that is shorter. */
const MAX_RENEWAL_MARGIN_MS = 30_000

/** How long a token is used whose server did not say how long it is good for. */
const DEFAULT_LIFETIME_MS = 60 * 60_000

const MAX_KEPT_TOKENS = 10_000

/** The access tokens of all endpoints. */
export interface AccessTokens {
  /** A token that is good; many callers at once share one request for it. Rejects as that request does. */
  get(endpoint: Endpoint): Promise<string>
  /** Forgets a token that the receiver refused, unless another has taken its place. */
  forget(endpoint: Endpoint, token: string): void
}

interface AccessTokensOptions {
  request: (endpoint: Endpoint) => Promise<AccessToken>
  now: () => Date
}

interface Slot {
  kept?: { value: string; renewAt: number }
  underWay?: Promise<string>
}

/** Keeps each endpoint version's token until shortly before it expires. */
export function createAccessTokens({ request, now }: AccessTokensOptions): AccessTokens {
  const slots = new VersionCache<Slot>({ create: () => ({}), limit: MAX_KEPT_TOKENS })
  return {
    get(endpoint) {
      const slot = slots.get(endpoint)
      if (slot.kept !== undefined && now().getTime() < slot.kept.renewAt)
        return Promise.resolve(slot.kept.value)
      slot.underWay ??= renew(slot, endpoint).finally(() => delete slot.underWay)
      return slot.underWay
    },
    forget(endpoint, token) {
      const slot = slots.get(endpoint)
      if (slot.kept?.value === token) delete slot.kept
    },
  }

  async function renew(slot: Slot, endpoint: Endpoint): Promise<string> {
    const requestedAt = now().getTime()
    const { value, lifetimeMs = DEFAULT_LIFETIME_MS } = await request(endpoint)
    const marginMs = Math.min(MAX_RENEWAL_MARGIN_MS, lifetimeMs / 10)
    slot.kept = { value, renewAt: requestedAt + lifetimeMs - marginMs }
    return value
  }
}
