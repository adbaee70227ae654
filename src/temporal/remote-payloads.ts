import type { Payload } from '@temporalio/common'
import { z } from 'zod'
import { parseInput } from '../domain/parse-input.js'

const base64 = z.string('base64').regex(/^[A-Za-z0-9+/_-]*={0,2}$/, 'base64')

const payloadsSchema = z.object(
  {
    payloads: z.array(
      z.object(
        { metadata: z.record(z.string(), base64, 'an object').default({}), data: base64.default('') },
        'a payload',
      ),
      'an array of payloads',
    ),
  },
  'an object with payloads',
)

/** `temporal.api.common.v1.Payloads` in the JSON form of Protocol Buffers, in which bytes are base64. */
export interface RemotePayloads {
  payloads: { metadata: Record<string, string>; data: string }[]
}

/**
 * Reads what Temporal's tools send to a codec endpoint.
 * @throws {InvalidInputError} that shows nothing of it
 */
export function readRemotePayloads(body: unknown): Payload[] {
  const { payloads } = parseInput(payloadsSchema, body, { subject: 'payloads', sensitive: ['payloads'] })
  return payloads.map(({ metadata, data }) => ({
    metadata: mapValues(metadata, (value) => Buffer.from(value, 'base64')),
    data: Buffer.from(data, 'base64'),
  }))
}

/** Writes what Temporal's tools expect from a codec endpoint. */
export function writeRemotePayloads(payloads: readonly Payload[]): RemotePayloads {
  return {
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: mapValues(metadata ?? {}, toBase64),
      data: toBase64(data ?? new Uint8Array()),
    })),
  }
}

function mapValues<V, W>(record: Record<string, V>, map: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
