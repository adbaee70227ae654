import type { Endpoint } from '../../domain/endpoint.js'

/** The headers by which a request authenticates. `accessToken` is what an OAuth 2.0 server has issued. */
export function authHeaders({ authToken, auth }: Endpoint, accessToken?: string): Record<string, string> {
  if (authToken !== undefined) return { authorization: authToken }
  switch (auth?.type) {
    case undefined:
      return {}
    case 'basic':
      return { authorization: basic(auth.username, auth.password) }
    case 'header':
      return { [auth.name.toLowerCase()]: auth.value }
    case 'oauth2':
      // RFC 6750, section 2.1.
      return accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }
  }
}

/** RFC 7617, section 2, with the charset UTF-8 of section 2.1. */
function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
