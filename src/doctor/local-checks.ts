import { describeDatabase, loadConfig, type Config } from '../config.js'
import { InvalidInputError } from '../domain/errors.js'
import { error, ok, type Finding } from './finding.js'

/** Compares Node's version with what the package runs on. */
export function checkNode(version: string, range: string): Finding {
  const lowest = range.replace(/^>=/, '')
  return compareVersions(version, lowest) >= 0
    ? ok(`Node ${version}`)
    : error(`Node ${version} is too old`, `install Node ${lowest} or later`)
}

/** Reads the configuration; each problem is a finding of its own. */
export function checkConfig(env: NodeJS.ProcessEnv): { config?: Config; findings: readonly Finding[] } {
  try {
    const config = loadConfig(env)
    const text = `configuration: task queue ${config.taskQueue}, endpoints in ${describeDatabase(config.database)}`
    return { config, findings: [ok(text)] }
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause
    return {
      findings: cause.problems.map(({ field, value, accepted }) =>
        error(`configuration: ${field} ${value ?? ''}`.trimEnd(), `expected ${accepted}`),
      ),
    }
  }
}

function compareVersions(one: string, other: string): number {
  const [numbers, others] = [one, other].map((version) => version.split('.').map(Number.parseFloat))
  for (const [index, part] of (numbers ?? []).entries()) {
    const difference = part - (others?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
