import { cloudEventsBinary, cloudEventsStructured } from './cloudevents.js'
import { envelope } from './envelope.js'
import type { Format } from './format.js'
import { raw } from './raw.js'

/** Every format, by the name that an endpoint gives; a new one is a module and a line here. */
export const FORMATS = {
  envelope,
  'cloudevents-structured': cloudEventsStructured,
  'cloudevents-binary': cloudEventsBinary,
  raw,
} as const satisfies Record<string, Format>

/** How an event is put on the wire. */
export type FormatName = keyof typeof FORMATS

export const FORMAT_NAMES = Object.keys(FORMATS) as [FormatName, ...FormatName[]]

/** The format of an endpoint that names none. */
export const DEFAULT_FORMAT: FormatName = 'envelope'
