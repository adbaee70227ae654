import { Command, Option } from 'commander'
import { API_ROLES, createApiToken, type ApiRole } from '../api/api-token.js'

export function tokensCommand(): Command {
  const tokens = new Command('tokens').description('make tokens for callers of the HTTP API')
  tokens
    .command('create')
    .description('print a new token for a caller, and its entry for SYNC_API_TOKENS, which holds no secret')
    .addOption(new Option('--role <role>', 'what the caller may do').choices(API_ROLES).makeOptionMandatory())
    .action(({ role }: { role: ApiRole }) => {
      const { token, entry } = createApiToken(role)
      process.stdout.write(`token  ${token}\nentry  ${entry}\n`)
    })
  return tokens
}
