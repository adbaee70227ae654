import { assert, ipV4, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAddressGuard, parseNetworks } from '../../src/delivery/address-guard.js'
import { InvalidInputError } from '../../src/domain/errors.js'

const nothing = createAddressGuard([])

/** The registries of RFC 6890 and what came after, by the first and the last address of each range. */
const SPECIAL: [range: string, ...addresses: string[]][] = [
  ['unspecified', '0.0.0.0', '0.255.255.255', '::'],
  ['loopback', '127.0.0.1', '127.255.255.255', '::1'],
  ['private', '10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  ['link-local', '169.254.0.0', '169.254.169.254', '169.254.255.255', 'fe80::', 'fe80::1%eth0', 'febf::1'],
  ['carrier-grade-nat', '100.64.0.0', '100.127.255.255', '100.100.100.200'],
  ['reserved', '192.0.0.0', '192.0.0.192', '192.0.2.1', '198.51.100.1', '203.0.113.1', '240.0.0.1'],
  [
    'reserved',
    '198.18.0.0',
    '198.19.255.255',
    '192.88.99.1',
    '2001:db8::1',
    '3fff::1',
    '4000::1',
    '::7f00:1',
  ],
  ['broadcast', '255.255.255.255'],
  ['multicast', '224.0.0.1', '239.255.255.255', 'ff02::1'],
  ['unique-local', 'fc00::', 'fd00:ec2::254', 'fdff::1'],
  ['deprecated-site-local', 'fec0::1', 'feff::1'],
  ['rfc6052', '64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::1'],
  ['rfc6145', '::ffff:0:7f00:1'],
  ['6to4', '2002:7f00:1::'],
  ['teredo', '2001::1'],
  ['benchmarking', '2001:2::1'],
  ['orchid2', '2001:20::1'],
  ['discard', '100::1'],
  ['segment-routing', '5f00::1'],
  ['metadata', '168.63.129.16', '::ffff:168.63.129.16'],
  ['loopback', '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:127.0.0.1'],
  ['private', '::ffff:10.0.0.1', '::ffff:c0a8:0101'],
]

describe.each(
  SPECIAL.flatMap(([range, ...addresses]) => addresses.map((address) => [range, address] as const)),
)('%s: %s', (range, address) => {
  test.each(['http:', 'https:'])('is refused by %s', (protocol) => {
    expect(nothing.refusal(address, protocol)).toBe(`an address of the range ${range}`)
  })
})

test.each(['8.8.8.8', '1.1.1.1', '93.184.216.34', '2606:4700::1111', '2a00:1450:4001::1', '::ffff:8.8.8.8'])(
  'a public address is reached by https alone: %s',
  (address) => {
    expect(nothing.refusal(address, 'https:')).toBeUndefined()
    expect(nothing.refusal(address, 'http:')).toBe('a public address without TLS')
  },
)

test.each(['', 'localhost', '1.2.3', '1.2.3.4.5', '::g', 'a.b.c.d', '１２７.0.0.1'])(
  'what is no address is refused: %j',
  (text) => {
    expect(nothing.refusal(text, 'https:')).toBeDefined()
  },
)

test('no IPv4 address outside the public ranges passes, mapped or not', () => {
  const guard = nothing
  assert(
    property(ipV4(), (address) => {
      const [a = 0, b = 0] = address.split('.').map(Number)
      const isInternal =
        [0, 10, 127].includes(a) ||
        a >= 224 ||
        (a === 100 && b >= 64 && b < 128) ||
        (a === 169 && b === 254) ||
        (a === 172 && b >= 16 && b < 32) ||
        (a === 192 && b === 168) ||
        (a === 198 && (b === 18 || b === 19))
      for (const spelled of [address, `::ffff:${address}`]) {
        expect(isInternal && guard.refusal(spelled, 'https:') === undefined).toBe(false)
      }
      expect(guard.refusal(`::ffff:${address}`, 'https:')).toBe(guard.refusal(address, 'https:'))
      expect(guard.refusal(`64:ff9b::${address}`, 'https:')).toBeDefined()
    }),
    { numRuns: 2_000 },
  )
})

describe('allowed networks', () => {
  const guard = createAddressGuard(['10.1.0.0/16', '192.168.7.7', 'fd00:1::/32', '::ffff:172.16.0.0/108'])

  test.each([
    '10.1.0.0',
    '10.1.255.255',
    '192.168.7.7',
    'fd00:1::5',
    '::ffff:10.1.2.3',
    '172.16.0.1',
    '172.31.0.1',
  ])('are reached by http and https: %s', (address) => {
    expect(guard.refusal(address, 'http:')).toBeUndefined()
    expect(guard.refusal(address, 'https:')).toBeUndefined()
  })

  test.each(['10.2.0.0', '10.0.255.255', '192.168.7.8', 'fd00:2::5', '127.0.0.1', '::1', '64:ff9b::a01:203'])(
    'open nothing else: %s',
    (address) => {
      expect(guard.refusal(address, 'https:')).toBeDefined()
    },
  )

  test('of everything open everything', () => {
    const open = createAddressGuard(['0.0.0.0/0', '::/0'])
    for (const address of SPECIAL.flatMap(([, ...addresses]) => addresses)) {
      expect(open.refusal(address, 'http:')).toBeUndefined()
    }
  })
})

describe('the setting', () => {
  test.each<[string, string[]]>([
    ['', []],
    [' 10.0.0.0/8 ', ['10.0.0.0/8']],
    ['10.0.0.0/8,::1', ['10.0.0.0/8', '::1']],
    ['127.0.0.1, fd00::/8\n192.168.0.0/16', ['127.0.0.1', 'fd00::/8', '192.168.0.0/16']],
  ])('%j lists networks', (text, networks) => {
    expect(parseNetworks(text)).toEqual(networks)
  })

  test.each([
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0',
    '0x7f.1',
    '010.0.0.1',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '/8',
    '*',
    'fe80::1%eth0',
    '::ffff:10.0.0.0/8',
    'http://10.0.0.1',
  ])('%j is no network', (text) => {
    expect(() => parseNetworks(text)).toThrow(InvalidInputError)
    expect(() => createAddressGuard([text])).toThrow(InvalidInputError)
  })

  test('every bad entry is named, and what is accepted', () => {
    expect(() => parseNetworks('10.0.0.0/8, here, ::1, 10.0.0.0/99')).toThrow(
      'SYNC_ALLOW_NETWORKS: [1] "here" is not accepted: expected an IP address or a network such as 10.0.0.0/8 ' +
        'or fd00::/8; [3] "10.0.0.0/99" is not accepted: expected an IP address',
    )
  })
})
