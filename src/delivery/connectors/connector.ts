import { InvalidInputError } from '../../domain/errors.js'
import type { SyncEvent } from '../../domain/event.js'
import { showValue } from '../../domain/parse-input.js'
import type { Verdict } from '../attempt-result.js'

/** Methods that change something at the receiver (RFC 9110, section 9.3; RFC 5789). */
export const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

/** What a connector knows of its endpoint: no secret. */
export interface ConnectorEndpoint {
  name: string
  url: string
}

/** The request that one system's API wants. Credentials and signature are added to it. */
export interface ConnectorRequest {
  /** @default POST */
  method?: Method
  /** Path and query below the endpoint's URL. @default the URL itself */
  path?: string
  /** @default none, and `content-type: application/json` where there is a body */
  headers?: Record<string, string>
  /** Exactly as it is sent. @default none */
  body?: string
}

/** What the endpoint answered. */
export interface ConnectorResponse {
  status: number
  /** Names in lower case; a repeated header is an array. */
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** The body as text, at most 64 KiB of it. */
  body: string
}

/** Turns an event into the request that one endpoint's API wants. */
export interface Connector {
  /** What an endpoint's setting `connector` calls it. */
  name: string
  /** An error that it throws makes the delivery wait as misconfigured, with the error's message. */
  toRequest(event: SyncEvent, endpoint: ConnectorEndpoint): ConnectorRequest | Promise<ConnectorRequest>
  /**
   * What an answer means, for an API whose status does not say it; undefined leaves it to the status.
   * @default the status decides
   */
  classify?(response: ConnectorResponse): Verdict | undefined
}

/**
 * Defines a connector in code.
 * @throws {InvalidInputError} on a name that no endpoint can give
 */
export function defineConnector(connector: Connector): Connector {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(connector.name)) {
    throw new InvalidInputError('defineConnector', [
      {
        field: 'name',
        value: showValue(connector.name),
        accepted: '1 to 64 letters, digits, "." "_" and "-", a letter or digit first',
      },
    ])
  }
  return connector
}

/** @throws {InvalidInputError} where two have one name */
export function connectorsByName(connectors: readonly Connector[]): ReadonlyMap<string, Connector> {
  const byName = new Map(connectors.map((connector) => [connector.name, connector]))
  if (byName.size === connectors.length) return byName
  const names = connectors.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  throw new InvalidInputError('connectors', [
    { field: 'name', value: showValue(twice), accepted: 'a name for each connector alone' },
  ])
}
