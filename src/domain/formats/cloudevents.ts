import { CloudEvent, HTTP, type Message } from 'cloudevents'
import type { SyncEvent } from '../event.js'
import { JSON_CONTENT_TYPE, type Format } from './format.js'

/** CloudEvents 1.0, HTTP protocol binding, section 3.2: attributes and data together in the body. */
export const cloudEventsStructured: Format = {
  toContent(event) {
    const { headers, body } = HTTP.structured(toCloudEvent(event))
    return { headers: asStrings(headers), body: String(body) }
  },
}

/** CloudEvents 1.0, HTTP protocol binding, section 3.1: attributes as `ce-` headers, the data as body. */
export const cloudEventsBinary: Format = {
  toContent(event) {
    const { headers } = HTTP.binary(toCloudEvent(event))
    // The SDK would send a string or a number as it is, which is not the JSON that the content type says.
    return { headers: asStrings(headers), body: JSON.stringify(event.data) }
  },
}

/**
 * An event's id is unique within its type, and `source` + `id` must be unique (CloudEvents 1.0, section 3.1),
 * so that the source holds the type.
 */
function toCloudEvent({ type, id, time, key, data }: SyncEvent): CloudEvent<unknown> {
  return new CloudEvent<unknown>({
    id,
    type,
    time,
    source: `external-sync/${type}`,
    datacontenttype: JSON_CONTENT_TYPE,
    data,
    ...(key !== undefined && { subject: key }),
  })
}

function asStrings(headers: Message['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      name.startsWith('ce-') ? percentEncoded(String(value)) : String(value),
    ]),
  )
}

/**
 * CloudEvents 1.0, HTTP protocol binding, section 3.1.3.2: what is not printable ASCII, and space, `"` and `%`,
 * is percent-encoded as UTF-8. The SDK leaves it as it is.
 */
function percentEncoded(value: string): string {
  return value.replaceAll(/[^\x21\x23\x24\x26-\x7e]/gu, (character) => {
    const bytes = [...Buffer.from(character)]
    return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
  })
}
