import type { SyncEvent } from '../event.js'

/** What a request says, apart from where it goes and who sends it. Header names are in lower case. */
interface Content {
  headers: Record<string, string>
  body: string
}

/** A way to put an event on the wire. */
export interface Format {
  toContent(event: SyncEvent): Content
}

/** RFC 8259, section 11. */
export const JSON_CONTENT_TYPE = 'application/json'
