import type { Endpoint } from '../domain/endpoint.js'

const REDACTED = '[redacted]'

/** Shorter header values, such as `1`, are no secrets worth a text full of holes. */
const MIN_HEADER_SECRET_LENGTH = 4

/** Tokens in URLs are at least this long. */
const MIN_URL_SECRET_LENGTH = 12

/** Every secret that requests to an endpoint carry or come from. */
export function secretsOf({
  url,
  authToken,
  auth,
  tls,
  signingSecrets = [],
  headers = {},
}: Endpoint): string[] {
  const secrets: (string | undefined)[] = [
    ...secretsInUrl(url),
    authToken,
    // The token is as secret without `Bearer`.
    authToken?.replace(/^\S+\s+/, ''),
    tls?.key,
    ...signingSecrets.flatMap((secret) => [secret, secret.slice(secret.indexOf('_') + 1)]),
    ...Object.values(headers).filter((value) => value.length >= MIN_HEADER_SECRET_LENGTH),
  ]
  switch (auth?.type) {
    case 'basic':
      secrets.push(auth.password, `${auth.username}:${auth.password}`)
      break
    case 'header':
      secrets.push(auth.value, auth.value.replace(/^\S+\s+/, ''))
      break
    case 'oauth2':
      secrets.push(auth.clientSecret)
      break
    case undefined:
      break
  }
  return secrets.filter((secret) => secret !== undefined)
}

/** A URL may hold a token in its path or query; shorter parts, such as `hooks`, are none. */
function secretsInUrl(url: string): string[] {
  const { pathname, search, searchParams } = new URL(url)
  const segments = pathname.split('/')
  const paths = segments.map((_, index) => segments.slice(index).join('/'))
  return [...paths, ...segments, search.slice(1), ...searchParams.values()]
    .flatMap((part) => [part, decoded(part)])
    .filter((part) => part.length >= MIN_URL_SECRET_LENGTH)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/**
 * The text on one line and without the secrets, however they are commonly written.
 * @param isCut whether the text goes on, so that its end may be the beginning of a secret
 */
export function scrub(text: string, secrets: readonly string[], isCut = false): string {
  const spellings = [...new Set(secrets.flatMap(spellingsOf).map(onOneLine))]
    .filter((spelling) => spelling !== '')
    .toSorted((a, b) => b.length - a.length)
  // Control characters go first: one of them inside a secret must not hide it.
  const line = onOneLine(text)
  const [longest] = spellings
  if (longest === undefined) return line
  const scrubbed = line.replaceAll(new RegExp(spellings.map(escaped).join('|'), 'gi'), REDACTED)
  return isCut ? scrubbed.slice(0, -longest.length) : scrubbed
}

function spellingsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64')
  const inUrl = encodeURIComponent(Buffer.from(secret).toString())
  return [
    secret,
    base64,
    base64.replace(/=+$/, ''),
    Buffer.from(secret).toString('base64url'),
    inUrl,
    inUrl.replaceAll('%20', '+'),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(secret)
      .slice(1, -1)
      .replaceAll('/', String.raw`\/`),
    inHtml(secret),
  ]
}

function inHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character)
}

function onOneLine(text: string): string {
  return text.replaceAll(/\s/g, ' ').replaceAll(/\p{C}/gu, '').replaceAll(/ +/g, ' ').trim()
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}
