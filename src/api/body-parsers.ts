import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { refuse } from './request-error.js'

/** The largest data of an event, written with spaces and escapes; or many events. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024

/** `application/json`, and types such as `application/cloudevents+json` (RFC 6839). */
export const JSON_TYPE = /^application\/([\w.-]+\+)?json$/

/** The media type without parameters, in lower case; empty where there is none. */
export function mediaTypeOf(contentType = ''): string {
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/**
 * Takes JSON only, as it is: nothing that decoding or parsing would change in silence, and no name that could
 * reach a prototype (CWE-1321). No body at all is left to the route to refuse.
 */
export function parseJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<Buffer>(
    /^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i,
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (body.length === 0) return done(null, undefined)
      if (!isUtf8(body)) return done(malformed('a body in UTF-8'))
      void parse(request, body.toString(), (error, json) => {
        if (error === null) return done(null, json)
        done(malformed('JSON (RFC 8259), without the names __proto__ and constructor.prototype'))
      })
    },
  )
}

function malformed(accepted: string): Error {
  return refuse(400, 'MALFORMED_REQUEST', { field: 'body', accepted })
}
