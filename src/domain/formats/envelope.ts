import { JSON_CONTENT_TYPE, type Format } from './format.js'

/** The default: `{"event": "policy.approved", "data": {…}}`, and nothing else. */
export const envelope: Format = {
  toContent: ({ type, data }) => ({
    headers: { 'content-type': JSON_CONTENT_TYPE },
    body: JSON.stringify({ event: type, data }),
  }),
}
