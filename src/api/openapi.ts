import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { packageVersion } from '../package-version.js'

type Transform = typeof jsonSchemaTransform
type TransformObject = typeof jsonSchemaTransformObject

const DESCRIPTION = `Emits events, and shows and changes what becomes of them.

Callers send \`authorization: Bearer <token>\`. A token has a role: \`emit\` may emit events and nothing else, \`operate\`
may read everything, retry and discard deliveries, and pause, resume and test endpoints, and replay events, \`admin\` may do everything.
Without any token configured, programs on the same machine may do everything.

Every error is a problem of RFC 9457. \`x-request-id\` finds a request in the log.`

const TAGS = [
  { name: 'events', description: 'What happened.' },
  { name: 'deliveries', description: 'One event to one endpoint.' },
  { name: 'endpoints', description: 'Registered external systems.' },
  { name: 'replays', description: 'Past events to one endpoint.' },
  { name: 'status', description: 'Everything at a glance.' },
  { name: 'process', description: 'How this process is.' },
]

/** Documents every route that is added afterwards, and serves the document at `/openapi.json`. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'external-sync',
        version: packageVersion,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform,
    transformObject,
  })
  let document: string | undefined
  app.get('/openapi.json', { schema: { hide: true } }, (_, reply) => {
    document ??= JSON.stringify(app.swagger())
    return reply.type('application/json').send(document)
  })
}

/** Adds who may call the route, and bodies of several content types, which the library does not know. */
const transform: Transform = (route) => {
  const { schema, ...rest } = route
  const { body, ...others } = schema ?? {}
  const isOne = body === undefined || body instanceof z.ZodType
  const { url, schema: transformed } = jsonSchemaTransform({ ...rest, schema: isOne ? schema : others })
  const { role } = route.route.config ?? {}
  return {
    url,
    schema: {
      ...transformed,
      ...(!isOne && { body: contentOf(rest, body as ContentBody) }),
      security: role === undefined ? [] : [{ token: [] }],
    },
  }
}

interface ContentBody {
  content: Record<string, { schema: z.ZodType }>
}

function contentOf(route: Omit<Parameters<Transform>[0], 'schema'>, { content }: ContentBody): object {
  const entries = Object.entries(content).map(([type, { schema: body }]) => {
    const { schema } = jsonSchemaTransform({ ...route, schema: { body } } as Parameters<Transform>[0])
    return [type, { schema: schema.body }]
  })
  return { content: Object.fromEntries(entries) }
}

/** Adds the schemas that are referred to, which for most is either as they are given or as they are answered. */
const transformObject: TransformObject = (document) => {
  const complete = jsonSchemaTransformObject(document)
  const { paths, components } = complete as unknown as { paths?: object; components: { schemas: Schemas } }
  const all = components.schemas
  const used = new Set<string>()
  collectReferences(paths, all, used)
  const schemas = Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)))
  return { ...complete, components: { ...components, schemas } }
}

type Schemas = Record<string, object>

function collectReferences(part: unknown, all: Schemas, used: Set<string>): void {
  for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    if (used.has(name)) continue
    used.add(name)
    collectReferences(all[name], all, used)
  }
}
