import type { ServerResponse } from 'node:http'
import { beforeAll, afterAll, describe, expect, test } from 'vitest'
import { createServer, isIP, type AddressInfo, type LookupFunction, type Server } from 'node:net'
import { once } from 'node:events'
import { classify } from '../../src/delivery/classify.js'
import { createSender, type Sender } from '../../src/delivery/send.js'
import { DEFAULT_ATTEMPT_LIMITS } from '../../src/domain/attempt-limits.js'
import { parseEndpoint } from '../../src/domain/parse-endpoint.js'
import { attempt, LOOPBACK, openReceiver, openSender } from '../support/attempts.js'

/** Spellings of addresses that no request may reach, without scheme and port. */
const HOSTS = Object.values({
  // The WHATWG URL standard reads short, decimal, octal and hexadecimal numbers, and mixtures.
  loopback: `
    127.0.0.1 127.1 127.0.1 127.127.127.127 127.255.255.254 2130706433 017700000001 0x7f000001 0x7F.1 0x7f.0.0.1
    0177.0.0.1 0177.0.0.01 0x7f.0x0.0x0.0x1 127.0x0.1 0177.1 00000177.0.0.1 0x0000007f.1 127.000.000.001 127.0.0.1.
    127.1. 2130706433. 0x7f000001.`,
  // It reaches loopback on many systems.
  unspecified: '0 0.0.0.0 0x0 00 0.0 000.000.000.000 0.0.0.0.',
  unicode: '①②⑦.⓪.⓪.① １２７.0.0.1 127。0。0。1 127．0．0．1 127｡1 ⓛocalhost ｌｏｃａｌｈｏｓｔ 𝟙𝟚𝟟.𝟘.𝟘.𝟙',
  percentEncoded: '%31%32%37.0.0.1 127%2e0%2e0%2e1 %6cocalhost %30x7f.1 %5b::1%5d',
  names: 'localhost LOCALHOST localhost. LocalHost. localhost.localdomain foo.localhost',
  ipv6: '[::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::] [0::0] [::0.0.0.1]',
  // Mapped, compatible, translated (NAT64, SIIT), 6to4, Teredo.
  ipv4InIpv6: `
    [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:127.0.0.1] [0:0:0:0:0:ffff:7f00:0001] [::127.0.0.1] [::7f00:1]
    [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [::ffff:0:127.0.0.1] [::ffff:0:0] [::ffff:10.0.0.1]
    [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::127.0.0.1] [2002:7f00:1::] [2002:a9fe:a9fe::]
    [2001:0:7f00:1::] [2001::1]`,
  // URLs have none.
  zoneIds: '[fe80::1%25eth0] [fe80::1%eth0] [::1%25lo] [::1%lo]',
  metadata: `
    169.254.169.254 2852039166 0xa9fea9fe 0xa9.0xfe.0xa9.0xfe 0251.0376.0251.0376 169.254.43518 169.16689662
    [fd00:ec2::254] 100.100.100.200 192.0.0.192 168.63.129.16 169.254.170.2`,
  private: `
    10.0.0.1 10.1 0xa.1 012.1 172.16.0.1 172.31.255.255 192.168.1.1 3232235777 192.168.257 [fe80::1] [fc00::1]
    [fd12:3456:789a::1] [fec0::1] 100.64.0.1`,
  special: `
    [ff02::1] 224.0.0.1 239.255.255.250 255.255.255.255 0xffffffff 4294967295 192.0.2.1 198.51.100.1 203.0.113.1
    [2001:db8::1] 198.18.0.1 240.0.0.1 [100::1] [2001:2::1] [2001:20::1] [5f00::1] [3fff::1]`,
}).flatMap((hosts) => hosts.trim().split(/\s+/))

/** Whole URLs whose readers may not agree on the host; `PORT` is the listener's. */
const URLS = [
  'http://example.com@127.0.0.1:PORT/',
  'http://127.0.0.1:PORT@127.0.0.1:PORT/',
  'http://user:pass@localhost:PORT/',
  'http://127.0.0.1:PORT#@example.com/',
  'http://127.0.0.1:PORT?@example.com/',
  'http://127.0.0.1:PORT\\@example.com/',
  'http:127.0.0.1:PORT/',
  'http:/127.0.0.1:PORT/',
  'http:///127.0.0.1:PORT/',
  'http:\\\\127.0.0.1:PORT\\',
  'HTTP://127.0.0.1:PORT/',
  ' http://127.0.0.1:PORT/',
  'ht\ntp://127.0.0.1:PORT/',
  'http://127.0.\t0.1:PORT/',
  'http://127.0.0.1:0PORT/',
  'http://127.0.0.1:PORT/../../',
  'file:///etc/passwd',
  'gopher://127.0.0.1:PORT/',
  'ftp://127.0.0.1:PORT/',
  'data:text/plain,x',
  'javascript:alert(1)',
  'unix:/var/run/docker.sock',
  'ws://127.0.0.1:PORT/',
  'blob:http://127.0.0.1:PORT/x',
  '//127.0.0.1:PORT/',
  '127.0.0.1:PORT',
  'http://',
  'http://[::1',
  'http://1.2.3.4.5.6:PORT/x@127.0.0.1',
  'http://256.256.256.256/',
  'http://0x100000000/',
  'http://127.0.0.1:99999/',
]

let listener: Server
let port: number
let connections = 0
let sender: Sender

beforeAll(async () => {
  listener = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  listener.listen(0, '::')
  await once(listener, 'listening')
  port = (listener.address() as AddressInfo).port
  sender = createSender({ lookup: allNamesAreLoopback })
})
afterAll(async () => {
  await sender.close()
  listener.close()
})

const cases = [
  ...HOSTS.flatMap((host) =>
    ['http', 'https'].map((scheme) => `${scheme}://${host}:PORT/hook?secret=sEcReT`),
  ),
  ...URLS,
]

test('there are more than a hundred of them', () => {
  expect(new Set(HOSTS).size + URLS.length).toBeGreaterThan(100)
  expect(new Set(HOSTS).size).toBe(HOSTS.length)
})

test.each(cases)('nothing is sent to %j', async (template) => {
  const url = template.replace('PORT', String(port)).replace('PORT', String(port))
  if (!isRegistered(url)) return

  const result = await attempt(sender, { url })

  expect(result).toMatchObject({ kind: 'failure', code: 'ADDRESS_GUARDED' })
  expect(classify(result)).toEqual({ kind: 'wait', reason: 'misconfigured' })
  expect(result).toHaveProperty(
    'message',
    expect.stringContaining(new URL(url).hostname.replaceAll(/[[\]]/g, '')),
  )
  expect(JSON.stringify(result)).not.toContain('sEcReT')
  expect(JSON.stringify(result)).toContain('SYNC_ALLOW_NETWORKS')
  expect(connections).toBe(0)
})

test('most of them can be registered, so that it is the guard that stands in the way', () => {
  const registered = cases.filter((template) => isRegistered(template.replaceAll('PORT', String(port))))

  expect(registered.length).toBeGreaterThan(200)
})

test('the listener does count what reaches it', async () => {
  const before = connections
  await attempt(openSender(), { url: `http://127.0.0.1:${port}/` })

  expect(connections).toBe(before + 1)
  connections = before
})

describe('a token server', () => {
  test.each(['127.0.0.1', '[::1]', 'localhost', '[::ffff:7f00:1]', '2130706433'])(
    'is guarded as well: %s',
    async (host) => {
      const auth = {
        type: 'oauth2',
        clientId: 'c',
        clientSecret: 's',
        tokenUrl: `http://${host}:${port}/token`,
      } as const

      const result = await attempt(sender, { url: 'https://public.example/', auth })

      expect(result).toMatchObject({ kind: 'failure', code: 'ADDRESS_GUARDED' })
      expect(connections).toBe(0)
    },
  )
})

describe('DNS rebinding', () => {
  test('an answer that is public first and loopback later reaches nothing', async () => {
    const before = connections
    // A network for documentation, where nothing is, stands for the public one.
    const answers = ['192.0.2.1', '127.0.0.1', '::1', '127.0.0.1']
    const rebound = openSender({
      limits: { ...DEFAULT_ATTEMPT_LIMITS, connectTimeoutMs: 200 },
      allowNetworks: ['192.0.2.0/24'],
      lookup: answering(() => [answers.shift() ?? '127.0.0.1']),
    })

    const codes: string[] = []
    while (answers.length > 0) {
      const result = await attempt(rebound, { url: `https://rebind.example:${port}/` })
      codes.push(result.kind === 'failure' ? result.code : 'sent')
    }
    expect(codes[0]).not.toBe('ADDRESS_GUARDED')
    expect(codes.slice(1)).toEqual(['ADDRESS_GUARDED', 'ADDRESS_GUARDED', 'ADDRESS_GUARDED'])
    expect(connections).toBe(before)
  })

  test('what was checked is what is connected to: there is one lookup for each connection', async () => {
    let lookups = 0
    // The first answer is allowed here, and stands for the public one; the second would be refused.
    const receiver = await openReceiver(
      (_request, response) => void response.writeHead(200, { connection: 'close' }).end(),
    )
    const { port: receiverPort } = new URL(receiver.url)
    const rebinding = openSender({
      allowNetworks: ['127.0.0.1'],
      lookup: answering(() => [(lookups += 1) === 1 ? '127.0.0.1' : '127.0.0.2']),
    })
    const url = `http://rebind.example:${receiverPort}/`

    expect(await attempt(rebinding, { url })).toMatchObject({ kind: 'response', status: 200 })
    expect(lookups).toBe(1)
    expect(await attempt(rebinding, { url })).toMatchObject({ code: 'ADDRESS_GUARDED' })
    expect(receiver.requests).toHaveLength(1)
  })

  test('of an answer with several addresses only those that are allowed are tried', async () => {
    const receiver = await openReceiver()
    const { port: receiverPort } = new URL(receiver.url)
    const mixed = openSender({
      allowNetworks: ['127.0.0.1'],
      lookup: answering(() => ['10.0.0.1', '169.254.169.254', '127.0.0.1', '::1']),
    })

    expect(await attempt(mixed, { url: `http://mixed.example:${receiverPort}/` })).toMatchObject({
      status: 200,
    })
  })

  test('a name without an address is refused, and one that does not exist is a network error', async () => {
    const without = openSender({ lookup: answering(() => []) })
    const unknown = openSender({
      lookup: (_hostname, _options, callback) =>
        callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []),
    })

    expect(await attempt(without, { url: 'https://empty.example/' })).toMatchObject({
      code: 'ADDRESS_GUARDED',
    })
    expect(await attempt(unknown, { url: 'https://nobody.example/' })).toMatchObject({ code: 'ENOTFOUND' })
  })
})

test('plain http goes to no public address, by name or number', async () => {
  const open = openSender({ allowNetworks: LOOPBACK, lookup: answering(() => ['93.184.216.34']) })

  for (const url of ['http://public.example/', 'http://93.184.216.34/', 'http://[2606:4700::1111]/']) {
    expect(await attempt(open, { url })).toMatchObject({
      code: 'ADDRESS_GUARDED',
      message: expect.stringContaining('a public address without TLS'),
    })
  }
})

test.each([301, 302, 303, 307, 308])(
  'a redirect to a metadata address is not followed: %i',
  async (status) => {
    const before = connections
    const targets = [`http://127.0.0.1:${port}/`, 'http://169.254.169.254/latest/meta-data/']
    const receiver = await openReceiver(
      ...targets.map(
        (location) => (_request: unknown, response: ServerResponse) =>
          void response.writeHead(status, { location }).end(),
      ),
    )

    for (const _ of targets) {
      const result = await attempt(openSender(), { url: receiver.url })
      expect(result).toMatchObject({ kind: 'response', status })
      expect(classify(result)).toEqual({ kind: 'wait', reason: 'misconfigured' })
    }
    expect(connections).toBe(before)
  },
)

function isRegistered(url: string): boolean {
  try {
    parseEndpoint('A', { url })
    return true
  } catch {
    return false
  }
}

function allNamesAreLoopback(...[, , callback]: Parameters<LookupFunction>): void {
  callback(null, [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ])
}

function answering(addresses: () => string[]): LookupFunction {
  return (_hostname, _options, callback) =>
    callback(
      null,
      addresses().map((address) => ({ address, family: isIP(address) })),
    )
}
