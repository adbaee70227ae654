import { expect, onTestFinished, test, vi } from 'vitest'
import { startReceiver } from '../../src/testing/receiver.js'
import { blockWith, readBlocks } from '../support/doc-blocks.js'
import { runDoc } from '../support/doc-runner.js'
import type { DocShell } from '../support/doc-shell.js'
import { isInstalled } from '../support/is-installed.js'

const FILE = 'docs/api.md'

// It starts a system, and some programs of their own.
vi.setConfig({ testTimeout: 180_000 })

test('what docs/api.md shows is what the API answers', async ({ skip }) => {
  for (const command of ['bash', 'curl', 'jq']) skip(!isInstalled(command), `there is no ${command}`)
  const hasPython = isInstalled('python3')
  const python = blockWith(await readBlocks(FILE), 'python', 'def emit').code
  const ems = await startReceiver()
  const hospital = await startReceiver(({ headers }, response) => {
    response.writeHead(headers.authorization === 'Bearer of-yesterday' ? 401 : 200).end()
  })
  for (const receiver of [ems, hospital]) onTestFinished(() => receiver.stop())

  await runDoc(FILE, {
    standsFor: new Map([
      ['https://ems.city.example', ems.url.slice(0, -1)],
      ['https://hospital.city.example', hospital.url.slice(0, -1)],
    ]),
    before: { '"shift-1-v4"': (shell) => (hasPython ? emitByPython(shell, python) : Promise.resolve()) },
  })

  const ids = new Set(ems.requests.map(({ headers }) => headers['webhook-id']))
  for (const id of ['SAFETY-7-v1', 'SAFETY-9-v1', 'c-1', 'c-2', ...(hasPython ? ['SAFETY-10-v1'] : [])]) {
    expect(ids).toContain(id)
  }
})

/** The client of the page emits, and gives up where an event will never be accepted. */
async function emitByPython(shell: DocShell, code: string): Promise<void> {
  await shell.run(`export API TOKEN; cat > emit.py <<'END'\n${code}\nEND`)
  const receipt = JSON.parse(
    (await shell.run('python3 emit.py')).replaceAll("'", '"').replace('False', 'false'),
  )
  expect(receipt).toEqual({
    eventId: 'SAFETY-10-v1',
    workflowId: 'policy.approved/SAFETY-10-v1',
    duplicate: false,
  })
  expect(await shell.run(`sed s/policy.approved/no\\ type/ emit.py | python3 -`)).toContain('INVALID_INPUT')
}
