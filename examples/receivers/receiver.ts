// A receiver on Node's own modules: WEBHOOK_SECRET=whsec_… npx tsx receiver.ts
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'

const { WEBHOOK_SECRET = '', PORT = '8000', INBOX = 'inbox' } = process.env
if (!WEBHOOK_SECRET.startsWith('whsec_')) throw new Error('WEBHOOK_SECRET: expected whsec_…')
const KEY = Buffer.from(WEBHOOK_SECRET.slice('whsec_'.length), 'base64')
const TOLERANCE_S = 5 * 60
const MAX_BODY_BYTES = 2 * 1024 * 1024

const headerOf = (headers: IncomingHttpHeaders, name: string): string => String(headers[name] ?? '')

/** Whether the sender knows the secret, and has made this request within the last minutes. */
function isGenuine(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const id = headerOf(headers, 'webhook-id')
  const timestamp = headerOf(headers, 'webhook-timestamp')
  const ageS = Math.abs(Date.now() / 1_000 - Number(timestamp))
  if (id === '' || !/^\d+$/.test(timestamp) || ageS > TOLERANCE_S) return false
  const expected = createHmac('sha256', KEY).update(`${id}.${timestamp}.`).update(body).digest()
  // There are two while one secret replaces another.
  return headerOf(headers, 'webhook-signature')
    .split(' ')
    .some((signature) => {
      const [version, value = ''] = signature.split(',')
      const given = Buffer.from(value, 'base64')
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected)
    })
}

/** Keeps an event on disk, under a name that the same event has again. */
async function keep(name: string, body: Buffer): Promise<'kept' | 'known'> {
  const draft = join(INBOX, `${randomUUID()}.draft`)
  try {
    await writeFile(draft, body, { flush: true })
    // A link is made as a whole, or not at all where there is one.
    await link(draft, join(INBOX, `${name}.json`))
    return 'kept'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'known'
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** What the event is for; it may fail and be done again. */
async function handle(name: string): Promise<void> {
  const { event, data } = JSON.parse(await readFile(join(INBOX, `${name}.json`), 'utf8'))
  console.log(`handled ${event} ${JSON.stringify(data)}`)
  await writeFile(join(INBOX, `${name}.handled`), '')
}

async function receive(request: IncomingMessage): Promise<{ status: number; name?: string }> {
  const size = Number(request.headers['content-length'] ?? NaN)
  if (!(size <= MAX_BODY_BYTES)) return { status: 413 }
  const body = await buffer(request)
  if (!isGenuine(request.headers, body)) return { status: 401 }
  const type = typeOf(body)
  if (type === undefined) return { status: 400 }
  // An id is unique within its type.
  const key = `${type}/${headerOf(request.headers, 'webhook-id')}`
  const name = createHash('sha256').update(key).digest('hex')
  return (await keep(name, body)) === 'kept' ? { status: 204, name } : { status: 204 }
}

function typeOf(body: Buffer): string | undefined {
  try {
    const { event } = JSON.parse(body.toString('utf8'))
    return typeof event === 'string' ? event : undefined
  } catch {
    return undefined
  }
}

const failed = (error: unknown): void => console.error(error)

await mkdir(INBOX, { recursive: true })
// What an earlier run has kept, and had no time for.
const kept = await readdir(INBOX)
for (const file of kept) {
  const name = file.replace(/\.json$/, '')
  if (file !== name && !kept.includes(`${name}.handled`)) await handle(name)
}

const server = createServer((request, response) => {
  receive(request).then(
    ({ status, name }) => {
      response.writeHead(status).end()
      if (name !== undefined) handle(name).catch(failed)
    },
    (error: unknown) => {
      failed(error)
      response.writeHead(500).end()
    },
  )
})
server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
})
