import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { InvalidInputError, type InputProblem } from '../domain/errors.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

/** The setting that lists the networks that are allowed. */
const SETTING = 'SYNC_ALLOW_NETWORKS'

/** What is globally routable in IPv6 (RFC 4291, section 2.4; IANA has assigned nothing else). */
const GLOBAL_UNICAST: Network = ipaddr.parseCIDR('2000::/3')

/** Azure's platform address, which hands out credentials as 169.254.169.254 does but looks like any other. */
const METADATA: readonly Network[] = [ipaddr.parseCIDR('168.63.129.16/32')]

/** Where requests may go. */
export interface AddressGuard {
  /** Why nothing is sent to this address; undefined where it is allowed. `https:` alone is safe in public. */
  refusal(address: string, protocol: string): string | undefined
}

/**
 * Refuses every address that is not plain public unicast (RFC 6890 and its successors), so that an endpoint's
 * owner cannot reach into the network of the worker (CWE-918).
 * @param allowNetworks networks to allow all the same, as {@link parseNetworks} accepts them
 * @throws {InvalidInputError} on an entry that is no network
 */
export function createAddressGuard(allowNetworks: readonly string[]): AddressGuard {
  const allowed = toNetworks(allowNetworks)
  return {
    refusal(text, protocol) {
      const address = parseAddress(text)
      if (address === undefined) return 'not an IP address'
      if (allowed.some((network) => contains(network, address))) return undefined
      const range = rangeOf(address)
      if (range !== 'unicast') return `an address of the range ${range}`
      return protocol === 'https:' ? undefined : 'a public address without TLS'
    },
  }
}

/**
 * Reads the setting: IP addresses and networks in CIDR notation, such as `10.0.0.0/8, ::1`.
 * @throws {InvalidInputError} listing every entry that is neither
 */
export function parseNetworks(text: string): readonly string[] {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '')
  toNetworks(entries)
  return entries
}

function toNetworks(entries: readonly string[]): Network[] {
  const networks = entries.map(parseNetwork)
  const problems = entries.flatMap<InputProblem>((entry, index) =>
    networks[index] === undefined ? [{ field: `[${index}]`, value: JSON.stringify(entry), accepted }] : [],
  )
  if (problems.length > 0) throw new InvalidInputError(SETTING, problems)
  return networks.filter((network) => network !== undefined)
}

const accepted = 'an IP address or a network such as 10.0.0.0/8 or fd00::/8'

function parseNetwork(entry: string): Network | undefined {
  const [, text, bits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
  if (text === undefined) return undefined
  const isV4 = ipaddr.IPv4.isValidFourPartDecimal(text)
  if (!isV4 && !ipaddr.IPv6.isValid(text)) return undefined
  const address = ipaddr.parse(text)
  const length = bits === undefined ? (isV4 ? 32 : 128) : Number(bits)
  if (length > (isV4 ? 32 : 128)) return undefined
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
    return length >= 96 ? [address.toIPv4Address(), length - 96] : undefined
  }
  return [address, length]
}

/** IPv4-mapped IPv6 addresses (RFC 4291, section 2.5.5.2) are the IPv4 addresses that they hold. */
function parseAddress(text: string): Address | undefined {
  // ipaddr.js reads `127.1` and octal numbers, too, which no lookup answers and systems read differently.
  return isIP(text) === 0 ? undefined : ipaddr.process(text)
}

function rangeOf(address: Address): string {
  if (METADATA.some((network) => contains(network, address))) return 'metadata'
  const range = address.range()
  if (range !== 'unicast') return range.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return address.kind() === 'ipv4' || contains(GLOBAL_UNICAST, address) ? 'unicast' : 'reserved'
}

function contains([network, length]: Network, address: Address): boolean {
  if (network instanceof ipaddr.IPv4) return address instanceof ipaddr.IPv4 && address.match(network, length)
  return address instanceof ipaddr.IPv6 && address.match(network, length)
}
