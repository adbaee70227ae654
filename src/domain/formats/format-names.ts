/** The formats, by the names that endpoints give. */
export const FORMAT_NAMES = ['envelope', 'cloudevents-structured', 'cloudevents-binary', 'raw'] as const

/** How an event is put on the wire. */
export type FormatName = (typeof FORMAT_NAMES)[number]

/** The format of an endpoint that names none. */
export const DEFAULT_FORMAT: FormatName = 'envelope'
