import type { Endpoint, MappingConnector } from '../../domain/endpoint.js'
import type { SyncEvent } from '../../domain/event.js'
import { DEFAULT_FORMAT } from '../../domain/formats/format-names.js'
import { FORMATS } from '../../domain/formats/formats.js'
import { AttemptError, type AttemptErrorCode, type Verdict } from '../attempt-result.js'
import type { HttpRequest, HttpResponse } from '../exchange.js'
import { scrub, secretsOf } from '../secrets.js'
import { checkedRequest } from './checked-request.js'
import { connectorsByName, type Connector, type ConnectorRequest } from './connector.js'
import { createMappingEvaluator } from './mapping-evaluator.js'
import { mapEvent } from './mapping.js'

const MAX_SHOWN_ERROR_LENGTH = 300

/** Turns events into requests, without credentials, and answers into verdicts. */
export interface Conversion {
  /** @throws {AttemptError} where no request comes of this event for this endpoint */
  toRequest(event: SyncEvent, endpoint: Endpoint): Promise<HttpRequest>
  /** What the endpoint's connector says of an answer; undefined where the status decides. */
  classify(response: HttpResponse, endpoint: Endpoint): Verdict | undefined
  /** Whether the answer's body is asked for. */
  readsAnswers(endpoint: Endpoint): boolean
  close(): Promise<void>
}

export function createConversion(connectors: readonly Connector[]): Conversion {
  const byName = connectorsByName(connectors)
  const evaluator = createMappingEvaluator()
  return {
    async toRequest(event, endpoint) {
      const { url, connector, format = DEFAULT_FORMAT } = endpoint
      if (connector === undefined)
        return { url: new URL(url), method: 'POST', ...FORMATS[format].toContent(event) }
      if (typeof connector === 'string') return byCode(known(connector), event, endpoint)
      return bySettings(connector, event, endpoint)
    },
    classify(response, endpoint) {
      const connector = ownConnector(endpoint)
      if (connector?.classify === undefined) return undefined
      const { status, headers, body } = response
      try {
        return checkedVerdict(connector.classify({ status, headers, body: body.toString() }))
      } catch (error) {
        throw failed('CONNECTOR_FAILED', `connector ${connector.name}`, error, endpoint)
      }
    },
    readsAnswers: (endpoint) => ownConnector(endpoint)?.classify !== undefined,
    close: () => evaluator.close(),
  }

  function ownConnector({ connector }: Endpoint): Connector | undefined {
    return typeof connector === 'string' ? byName.get(connector) : undefined
  }

  function known(name: string): Connector {
    const connector = byName.get(name)
    if (connector !== undefined) return connector
    const names = [...byName.keys()].join(', ')
    throw new AttemptError(
      'CONNECTOR_UNKNOWN',
      `this worker has no connector ${name}; it has ${names === '' ? 'none' : names}`,
    )
  }

  async function bySettings(
    mapping: MappingConnector,
    event: SyncEvent,
    endpoint: Endpoint,
  ): Promise<HttpRequest> {
    const made: ConnectorRequest = await mapEvent(evaluator, endpoint.name, mapping, event)
    try {
      return checkedRequest(endpoint.url, made)
    } catch (error) {
      throw failed('MAPPING_FAILED', 'connector', error, endpoint)
    }
  }
}

async function byCode(connector: Connector, event: SyncEvent, endpoint: Endpoint): Promise<HttpRequest> {
  const { name, url } = endpoint
  try {
    // A copy: what it changes in the event is its own.
    const made = await connector.toRequest(structuredClone(event), { name, url })
    return checkedRequest(url, made)
  } catch (error) {
    throw failed('CONNECTOR_FAILED', `connector ${connector.name}`, error, endpoint)
  }
}

/** @throws {Error} on what is no verdict, as code without types may return */
function checkedVerdict(verdict: Verdict | undefined): Verdict | undefined {
  const isVerdict =
    verdict === undefined ||
    verdict.kind === 'delivered' ||
    verdict.kind === 'retry' ||
    (verdict.kind === 'wait' && ['misconfigured', 'rejected'].includes(verdict.reason))
  if (!isVerdict) throw new Error('classify returned what is no verdict')
  return verdict
}

function failed(code: AttemptErrorCode, subject: string, error: unknown, endpoint: Endpoint): AttemptError {
  const message = scrub(error instanceof Error ? error.message : String(error), secretsOf(endpoint))
  return new AttemptError(code, `${subject}: ${message.slice(0, MAX_SHOWN_ERROR_LENGTH)}`)
}
