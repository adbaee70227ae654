/** The longest path, with its query, in characters. */
const MAX_PATH_LENGTH = 2048

/**
 * The URL of a request below an endpoint's own: `path` is appended to its path, and a query to its query.
 * @throws {Error} on a path that could lead elsewhere, or that two servers may read in two ways
 */
export function requestUrl(base: string, path: string): URL {
  const url = new URL(base)
  if (path === '') return url
  check(path)
  const [pathname = '', ...queries] = path.split('?')
  const basePath = url.pathname
  url.pathname = pathname === '' ? basePath : `${basePath.replace(/\/$/, '')}/${pathname.replace(/^\//, '')}`
  const query = queries.join('?')
  if (query !== '') url.search = url.search === '' ? query : `${url.search.slice(1)}&${query}`
  const { length } = url.pathname + url.search
  if (length > MAX_PATH_LENGTH)
    throw new Error(`${length} characters, at most ${MAX_PATH_LENGTH} are accepted`)
  return url
}

function check(path: string): void {
  if (/[\p{C}\\#]/u.test(path)) throw new Error('a control character, "\\" or "#" must be percent-encoded')
  const [pathname = ''] = path.split('?')
  if (pathname.includes('//')) throw new Error('"//" is not accepted')
  if (!isDecodable(pathname)) {
    throw new Error('"%" must begin a percent-encoded character, as $encodeUrlComponent writes it')
  }
  // A server may decode more than once, and take "\" for "/" (RFC 3986, sections 3.3 and 7.3).
  for (let decoded = pathname, before = ''; decoded !== before;) {
    if (decoded.split(/[/\\]/).some((segment) => segment === '.' || segment === '..')) {
      throw new Error('the segments "." and ".." are not accepted')
    }
    if (hasControlCharacter(decoded)) throw new Error('a control character is not accepted')
    before = decoded
    decoded = decoded.replaceAll(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    )
  }
}

function isDecodable(path: string): boolean {
  try {
    return decodeURIComponent(path).length > 0 || path === ''
  } catch {
    return false
  }
}

function hasControlCharacter(text: string): boolean {
  return Array.from(text, (character) => character.charCodeAt(0)).some((code) => code < 0x20 || code === 0x7f)
}
