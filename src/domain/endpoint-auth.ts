/** How requests to an endpoint authenticate, other than by a verbatim token. Holds secrets. */
export type EndpointAuth = BasicAuth | HeaderAuth | OAuth2Auth

/** RFC 7617. */
interface BasicAuth {
  type: 'basic'
  username: string
  password: string
}

/** An API key in a header of the receiver's choice. */
interface HeaderAuth {
  type: 'header'
  name: string
  value: string
}

/** OAuth 2.0 client credentials (RFC 6749, section 4.4). */
export interface OAuth2Auth {
  type: 'oauth2'
  tokenUrl: string
  clientId: string
  clientSecret: string
  /** Space-separated. @default none */
  scope?: string
  /** Sent as `audience`, which some servers want. @default none */
  audience?: string
}

/** PEM texts; `cert` and `key` together are a client certificate. */
export interface TlsSettings {
  /** CAs that are trusted in place of the system's. */
  ca?: string
  cert?: string
  key?: string
}
