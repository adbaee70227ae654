/** The process that evaluates mappings; see mapping-evaluator.ts. */
import jsonata from 'jsonata'
import { describeJsonataError } from '../../domain/expression-problem.js'
import type { MappingAnswer, MappingTask } from './mapping-evaluator.js'

const MAX_STACK_DEPTH = 1_000
const MAX_SEQUENCE_LENGTH = 100_000
const MAX_RESULT_LENGTH = 1024 * 1024
const MAX_KEPT_EXPRESSIONS = 1_000

/** Expressions that have been parsed. */
const parsed = new Map<string, jsonata.Expression>()

process.on('message', (task: MappingTask) => {
  void evaluate(task).then((answer) => process.send?.(answer))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')

async function evaluate({ expressions, event, timeLimitMs }: MappingTask): Promise<MappingAnswer> {
  const results: [string, string][] = []
  for (const [name, expression] of expressions) {
    try {
      const result: unknown = await parse(expression, timeLimitMs).evaluate(event)
      const json = isFunction(result) ? undefined : JSON.stringify(result)
      if (json === undefined) continue
      if (json.length > MAX_RESULT_LENGTH) {
        return { kind: 'failed', name, message: `it yields more than ${MAX_RESULT_LENGTH} characters` }
      }
      results.push([name, json])
    } catch (error) {
      const isTimeout =
        typeof error === 'object' && error !== null && 'code' in error && error.code === 'D1012'
      return { kind: isTimeout ? 'ended' : 'failed', name, message: describeJsonataError(error) }
    }
  }
  return { kind: 'evaluated', results }
}

function parse(expression: string, timeLimitMs: number): jsonata.Expression {
  const kept = parsed.get(expression)
  if (kept !== undefined) return kept
  const options = { timeout: timeLimitMs, stack: MAX_STACK_DEPTH, sequence: MAX_SEQUENCE_LENGTH }
  const fresh = jsonata(expression, options)
  if (parsed.size >= MAX_KEPT_EXPRESSIONS) parsed.clear()
  parsed.set(expression, fresh)
  return fresh
}

/** A function of JSONata's own, or one defined in the expression. */
function isFunction(result: unknown): boolean {
  if (typeof result === 'function') return true
  return (
    typeof result === 'object' &&
    result !== null &&
    ('_jsonata_lambda' in result || '_jsonata_function' in result)
  )
}
