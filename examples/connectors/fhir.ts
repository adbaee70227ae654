import { defineConnector } from '../../src/delivery/connectors/connector.js'
import type { SyncEvent } from '../../src/domain/event.js'

/** FHIR ids are narrower than most others (https://hl7.org/fhir/R4/datatypes.html#id). */
const FHIR_ID = /^[A-Za-z0-9.-]{1,64}$/

/**
 * A hospital's FHIR R4 server: a policy as the DocumentReference that points its staff to the text
 * (https://hl7.org/fhir/R4/documentreference.html), put at the policy's own id, so that a repeated event changes
 * nothing. For an endpoint whose URL is the server's base, such as `https://hospital.example/fhir`.
 */
export const fhirDocumentReference = defineConnector({
  name: 'fhir-document-reference',

  toRequest(event) {
    const resource = toDocumentReference(event)
    return {
      method: 'PUT',
      path: `DocumentReference/${resource.id}`,
      headers: { 'content-type': 'application/fhir+json', prefer: 'return=minimal' },
      body: JSON.stringify(resource),
    }
  },

  classify({ status }) {
    // Another writer was at the resource at the same time; the next attempt meets the newer version.
    return status === 409 || status === 412 ? { kind: 'retry' } : undefined
  },
})

function toDocumentReference({ type, time, data }: SyncEvent) {
  const { id, title, content } = asPolicy(data)
  return {
    resourceType: 'DocumentReference',
    id,
    identifier: [{ system: 'urn:external-sync:policy', value: id }],
    status: type === 'policy.revoked' ? 'entered-in-error' : 'current',
    docStatus: 'final',
    date: time,
    description: title,
    content: [
      {
        attachment: {
          contentType: 'text/plain; charset=utf-8',
          title,
          data: Buffer.from(content).toString('base64'),
        },
      },
    ],
  }
}

/** What this system's policies look like; an error tells the operator what is amiss. */
function asPolicy(data: SyncEvent['data']): { id: string; title: string; content: string } {
  if (data === null || typeof data !== 'object' || Array.isArray(data))
    throw new Error('data: expected a policy')
  const { id, title = id, content = '' } = data
  if (typeof id !== 'string' || !FHIR_ID.test(id)) throw new Error('data.id: expected a FHIR id')
  if (typeof title !== 'string' || typeof content !== 'string') throw new Error('data: expected texts')
  return { id, title, content }
}
