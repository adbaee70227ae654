import { createPrivateKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { ACCEPTED_URL, isAcceptedUrl } from './accepted-url.js'

/**
 * Headers that the connection, the body or the delivery itself decides (RFC 9110, section 7.6.1; Standard
 * Webhooks).
 */
const RESERVED_HEADERS = new Set(
  (
    'connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer ' +
    'transfer-encoding upgrade expect host content-length webhook-id webhook-timestamp webhook-signature ' +
    'authorization traceparent tracestate'
  ).split(' '),
)

export const headerNameSchema = z
  .string('a header name')
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'a header name (RFC 9110, section 5.1)')
  .refine(
    (name) => !RESERVED_HEADERS.has(name.toLowerCase()),
    'a header that neither the connection nor the delivery itself sets',
  )

export const headerValueSchema = z
  .string('a string (value not shown)')
  .regex(/^[\x21-\x7e\xa0-\xff]([\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?$/, {
    error: 'a header value: Latin-1 characters without line breaks, no space at either end (value not shown)',
  })
  .max(8192, 'at most 8,192 characters (value not shown)')

const secretSchema = z
  .string('a string (value not shown)')
  .min(1, 'a secret that is not empty')
  .max(4096, 'at most 4,096 characters (value not shown)')

export const authSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('basic'),
      username: z
        .string('a string')
        .max(255, 'at most 255 characters')
        .regex(/^[^:\p{Cc}]+$/u, 'a user name without a colon (RFC 7617, section 2)'),
      password: secretSchema,
    }),
    z.strictObject({ type: z.literal('header'), name: headerNameSchema, value: headerValueSchema }),
    z.strictObject({
      type: z.literal('oauth2'),
      tokenUrl: z.string('a URL').refine(isAcceptedUrl, ACCEPTED_URL),
      clientId: secretSchema,
      clientSecret: secretSchema,
      scope: secretSchema.optional(),
      audience: secretSchema.optional(),
    }),
  ],
  'an object with the type basic, header or oauth2',
)

const pemSchema = z.string('a PEM text').max(100_000, 'at most 100,000 characters')

export const tlsSchema = z
  .strictObject(
    {
      ca: pemSchema.refine(isCertificate, 'certificates in PEM').optional(),
      cert: pemSchema.refine(isCertificate, 'certificates in PEM').optional(),
      key: pemSchema
        .refine(isPrivateKey, 'a private key in PEM, without a passphrase (value not shown)')
        .optional(),
    },
    'an object of ca, cert and key',
  )
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), 'cert and key together')

/** Standard Webhooks: 24 to 64 bytes for HMAC; 32 bytes of seed, or 64 with the public key, for ed25519. */
export const signingSecretSchema = z
  .string('a string (value not shown)')
  .refine(
    isSigningSecret,
    'whsec_ and 24 to 64 bytes in base64, or whsk_ and 32 or 64 bytes in base64 (value not shown)',
  )

function isSigningSecret(secret: string): boolean {
  const match = /^(whsec|whsk)_([A-Za-z0-9+/]+={0,2})$/.exec(secret)
  if (match === null) return false
  const [, kind, encoded] = match
  const { length } = Buffer.from(encoded ?? '', 'base64')
  return kind === 'whsec' ? length >= 24 && length <= 64 : length === 32 || length === 64
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).type === 'private'
  } catch {
    return false
  }
}
