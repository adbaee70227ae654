const MAX_URL_LENGTH = 2048

/** What {@link isAcceptedUrl} accepts, in words. */
export const ACCEPTED_URL = `an http:// or https:// URL without credentials and white space, at most ${MAX_URL_LENGTH} characters`

/** Whether a request can be sent there; credentials have settings of their own. */
export function isAcceptedUrl(value: string): boolean {
  // The parser of the URL standard strips or encodes white space, and needs no slashes.
  const isPlain = value.length <= MAX_URL_LENGTH && /^https?:\/\/[^\s/]\S*$/i.test(value)
  if (!isPlain || !URL.canParse(value)) return false
  const { username, password } = new URL(value)
  return username === '' && password === ''
}
