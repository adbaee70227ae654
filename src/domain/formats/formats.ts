import { cloudEventsBinary, cloudEventsStructured } from './cloudevents.js'
import { envelope } from './envelope.js'
import type { Format } from './format.js'
import type { FormatName } from './format-names.js'
import { raw } from './raw.js'

/** Every format; a new one is a module, its name and a line here. */
export const FORMATS: Readonly<Record<FormatName, Format>> = {
  envelope,
  'cloudevents-structured': cloudEventsStructured,
  'cloudevents-binary': cloudEventsBinary,
  raw,
}
