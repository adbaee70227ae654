import { Ajv2020 } from 'ajv/dist/2020.js'

/** What an answer is held to. */
interface Answered {
  status: number
  headers: Headers
  body: unknown
}

interface Operation {
  method: string
  /** As the document spells it, such as `/v1/endpoints/{name}`. */
  path: string
  operationId: string
  isGuarded: boolean
}

/** An API's document, as its answers are held to it. */
export interface Contract {
  readonly operations: readonly Operation[]
  /** Operations that have answered with success so far. */
  readonly exercised: ReadonlySet<string>
  /** What about an answer is not as the document says; nothing is said of paths that it does not have. */
  problemsOf(method: string, path: string, answer: Answered): string[]
}

interface Documented {
  operationId: string
  security: object[]
  responses: Record<string, { content?: Record<string, object> }>
}

interface Document {
  paths: Record<string, Record<string, Documented>>
}

const ID = 'openapi.json'

/** @param document an OpenAPI document of version 3.1 */
export function createContract(document: unknown): Contract {
  const { paths } = document as Document
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema(document as object, ID)
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security }]) => ({
      method: method.toUpperCase(),
      path,
      operationId,
      isGuarded: security.length > 0,
    })),
  )
  const exercised = new Set<string>()
  return {
    operations,
    exercised,
    problemsOf: (method, path, { status, headers, body }) => {
      const operation = operations.find((one) => one.method === method && matches(one.path, path))
      if (operation === undefined) return []
      const { operationId, responses } = paths[operation.path]![method.toLowerCase()]!
      if (status < 300) exercised.add(operationId)
      const response = responses[String(status)]
      if (response === undefined) return [`${operationId} answers ${status}, which is not documented`]
      if (response.content === undefined) return body === '' ? [] : [`${operationId} answers a body`]
      const type = headers.get('content-type')?.split(';')[0] ?? ''
      if (response.content[type] === undefined) return [`${operationId} answers ${type}`]
      const pointer = [
        'paths',
        operation.path,
        method.toLowerCase(),
        'responses',
        status,
        'content',
        type,
        'schema',
      ]
      const validate = ajv.getSchema(`${ID}#/${pointer.map(escaped).join('/')}`)!
      if (validate(body) === true) return []
      return [`${operationId} ${status}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`]
    },
  }
}

function matches(template: string, path: string): boolean {
  const pattern = template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')
  // As fetch sends it.
  return new RegExp(`^${pattern}$`).test(new URL(path, 'http://localhost').pathname)
}

/** RFC 6901, section 6. */
function escaped(part: string | number): string {
  return encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))
}
