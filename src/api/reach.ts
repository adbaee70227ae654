import { BlockList, isIP } from 'node:net'
import { InvalidInputError } from '../domain/errors.js'
import { API_TOKENS_ACCEPTED, type ApiToken } from './api-token.js'

/**
 * Who needs no token must be on this machine.
 * @throws {InvalidInputError} on an address that others reach, without tokens
 */
export function checkReach(ip: string, tokens: readonly ApiToken[] | undefined): void {
  if (tokens !== undefined || isLoopback(ip)) return
  const accepted = `${API_TOKENS_ACCEPTED}, to serve on ${ip}, which others may reach`
  throw new InvalidInputError('environment', [{ field: 'SYNC_API_TOKENS', accepted }])
}

function isLoopback(ip: string): boolean {
  if (ip === 'localhost') return true
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  const version = isIP(ip)
  return version !== 0 && loopback.check(ip, version === 4 ? 'ipv4' : 'ipv6')
}
