import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from '@temporalio/worker'
import { DeterminismViolationError } from '@temporalio/workflow'
import { describe, expect, test } from 'vitest'
import { historyFromJson, type HistoryJson } from '../support/history-json.js'

const FOLDER = fileURLToPath(new URL('../histories/', import.meta.url))
const BUNDLES = ['workflow-bundle.js', 'workflow-bundle-encrypted.js']

const names = readdirSync(FOLDER).map((file) => file.replace('.json', ''))

describe.each(BUNDLES)('a workflow that older code began goes on with the present code in %s', (bundle) => {
  test.for(names)('%s', async (name) => {
    await expect(replay(readText(name), bundle)).resolves.toBeUndefined()
  })
})

describe('a replay finds the code at fault', () => {
  test.for<[change: string, name: string, from: string, to: string]>([
    ['another activity', 'delivered-after-retries', '"deliver"', '"send"'],
    ['another endpoint', 'open-attempting', '"activityId": "EMS-Scheduler"', '"activityId": "Clinic"'],
    [
      'another child',
      'group-with-unfinished',
      '"workflowId": "policy.approved/',
      '"workflowId": "policy.revised/',
    ],
    ['another activity', 'replay-completed', '"replaySlice"', '"sendSlice"'],
    ['no wait', 'delivered-after-rejected', 'EVENT_TYPE_TIMER_STARTED', 'EVENT_TYPE_MARKER_RECORDED'],
    [
      'another end',
      'continued-as-new-first-run',
      'EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW',
      'EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED',
    ],
  ])('%s in %s', async ([, name, from, to]) => {
    const text = readText(name)
    expect(text.includes(from)).toBe(true)

    await expect(replay(text.replace(from, to))).rejects.toThrow(DeterminismViolationError)
  })
})

function readText(name: string): string {
  return readFileSync(`${FOLDER}${name}.json`, 'utf8')
}

async function replay(text: string, bundle = 'workflow-bundle.js'): Promise<void> {
  const codePath = fileURLToPath(new URL(`../../dist/${bundle}`, import.meta.url))
  const history = historyFromJson(JSON.parse(text) as HistoryJson)
  const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId
  await Worker.runReplayHistory({ workflowBundle: { codePath } }, history, workflowId ?? undefined)
}
