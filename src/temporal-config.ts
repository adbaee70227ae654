import {
  loadClientConfigProfile,
  toClientOptions,
  type ClientConfigProfile,
  type ClientConnectConfig,
} from '@temporalio/envconfig'
import { InvalidInputError, type InputProblem } from './domain/errors.js'

/**
 * Reads `TEMPORAL_*` and the profile file of Temporal's own tools; variables win over the file. A variable
 * without a value counts as none, as compose files pass those.
 * @throws {InvalidInputError} where they cannot be read, or would be taken for something else than was meant
 */
export function loadTemporalConfig(env: NodeJS.ProcessEnv): ClientConnectConfig {
  try {
    const profile = loadClientConfigProfile({ overrideEnvVars: definedVariables(env) })
    const problems = [...problemsOfTls(env, profile), ...problemsOfApiKey(profile)]
    if (problems.length > 0) throw new InvalidInputError('environment', problems)
    return toClientOptions(profile)
  } catch (error) {
    if (error instanceof InvalidInputError) throw error
    // What follows the first line may quote a profile file, and with it an API key.
    const [reason] = error instanceof Error ? error.message.split('\n') : []
    throw new InvalidInputError('environment', [
      { field: 'TEMPORAL_*', value: `(${reason})`, accepted: "what Temporal's own tools read there" },
    ])
  }
}

/** The SDK takes `yes` for false, and leaves out a certificate without its key: either way, silently less safe. */
function problemsOfTls(env: NodeJS.ProcessEnv, { tls }: ClientConfigProfile): InputProblem[] {
  const problems: InputProblem[] = []
  const switched = env['TEMPORAL_TLS'] ?? ''
  if (!['', 'true', 'false', '1', '0'].includes(switched)) {
    problems.push({ field: 'TEMPORAL_TLS', value: switched, accepted: 'true or false' })
  }
  if ((tls?.clientCert === undefined) !== (tls?.clientKey === undefined)) {
    const missing = tls?.clientCert === undefined ? 'CERT' : 'KEY'
    problems.push({
      field: `TEMPORAL_TLS_CLIENT_${missing}_PATH`,
      accepted: `a file, or TEMPORAL_TLS_CLIENT_${missing}_DATA: a client certificate and its key go together`,
    })
  }
  return problems
}

/** A line end at the end of a key, as files have it, is no part of a header (RFC 9110, section 5.5). */
function problemsOfApiKey({ apiKey }: ClientConfigProfile): InputProblem[] {
  if (apiKey === undefined || /^[\x21-\x7e]+$/.test(apiKey)) return []
  return [{ field: 'TEMPORAL_API_KEY', accepted: 'printable ASCII without spaces and line ends' }]
}

function definedVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1])),
  )
}
