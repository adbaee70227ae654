import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'

/** Nothing but what this server serves, and no script or style in the document itself. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  // Text never becomes markup: what would do that throws.
  "require-trusted-types-for 'script'",
].join('; ')

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

const DOCUMENT = 'index.html'

/** In `src/page/browser/`, from where the build copies them. */
const FILES = [
  DOCUMENT,
  'style.css',
  'icon.svg',
  'actions.js',
  'api.js',
  'app.js',
  'chart.js',
  'confirm.js',
  'deliveries.js',
  'dom.js',
  'endpoints.js',
  'events.js',
  'format.js',
  'icons.js',
  'keyed-list.js',
  'news.js',
  'sign-in.js',
  'summary.js',
] as const

/** Where the page's own files are, beside `/` itself. */
const FOLDER = '/status-page'

/** The status page: files as they are, which a browser runs without a build. */
export function addPageRoutes(app: FastifyInstance): void {
  for (const name of FILES) {
    const content = readFileSync(new URL(`browser/${name}`, import.meta.url))
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES]
    app.get(name === DOCUMENT ? '/' : `${FOLDER}/${name}`, { schema: { hide: true } }, (_, reply) =>
      reply.headers(HEADERS).type(type).send(content),
    )
  }
}
