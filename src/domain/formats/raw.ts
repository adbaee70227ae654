import { JSON_CONTENT_TYPE, type Format } from './format.js'

/** The event's data alone. */
export const raw: Format = {
  toContent: ({ data }) => ({
    headers: { 'content-type': JSON_CONTENT_TYPE },
    body: JSON.stringify(data),
  }),
}
