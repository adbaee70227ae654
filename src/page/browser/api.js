import { setServerTime } from './format.js'

/** What the API refused, or that it did not answer. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 where there was no answer
   * @param {string} detail
   */
  constructor(status, detail) {
    super(detail)
    this.name = 'ApiError'
    this.status = status
  }
}

/** No other origin's page can send it. */
const OWN = { 'x-requested-with': 'external-sync' }

/**
 * @param {string} url
 * @param {string} [etag] of an answer that is known
 * @returns {Promise<{ etag: string | undefined, body: any } | undefined>} undefined where the answer is still that one
 * @throws {ApiError}
 */
export async function read(url, etag) {
  const response = await request(url, { headers: etag === undefined ? {} : { 'if-none-match': etag } })
  if (response.status === 304) return undefined
  return { etag: response.headers.get('etag') ?? undefined, body: await response.json() }
}

/**
 * @param {'POST' | 'DELETE'} method
 * @param {string} url
 * @param {unknown} [body]
 * @returns {Promise<any>} what it answers, if anything
 * @throws {ApiError}
 */
export async function send(method, url, body) {
  const response = await request(url, {
    method,
    headers: body === undefined ? OWN : { ...OWN, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return response.status === 204 ? undefined : response.json()
}

/** @param {...string} parts of a path, of any text */
export function path(...parts) {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('')
}

/**
 * @param {string} url
 * @param {RequestInit} init
 */
async function request(url, init) {
  /** @type {Response} */
  let response
  try {
    response = await fetch(url, { ...init, cache: 'no-store', signal: AbortSignal.timeout(30_000) })
  } catch {
    throw new ApiError(0, 'the server does not answer')
  }
  setServerTime(response.headers.get('date'))
  if (response.ok || response.status === 304) return response
  const problem = await response.json().catch(() => ({}))
  throw new ApiError(response.status, String(problem.detail ?? `the server answers ${response.status}`))
}
