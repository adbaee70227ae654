import { readdir } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { startProgram, type Program } from '../support/program.js'
import { temporaryFolder } from '../support/temporary-folder.js'

interface Demo {
  program: Program
  /** Where it keeps its files. */
  folder: string
}

async function startDemo(...options: string[]): Promise<Demo> {
  const folder = await temporaryFolder()
  const program = await startProgram(['--import', 'tsx', 'examples/demo.ts', ...options], {
    ...process.env,
    TMPDIR: folder,
  })
  return { program, folder }
}

/** How it ended, with its output for the message of a failure. */
async function ending(program: Program): Promise<Awaited<Program['exited']> & { output: string }> {
  return { ...(await program.exited), output: program.output }
}

/** Files that tsx caches for itself are none of the demo's. */
async function remainsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('external-sync'))
}

test(
  'the demo shows each attempt, both events arrive, and nothing remains',
  { timeout: 120_000 },
  async () => {
    const { program, folder } = await startDemo('--once')
    await using demo = program

    expect(await ending(demo)).toMatchObject({ code: 0 })
    const lines = demo.output.split('\n')
    const linesOf = (eventType: string, endpoint: string): string[] =>
      lines
        .filter((line) => line.includes(eventType) && line.includes(endpoint))
        .map((line) => line.slice(50).trim())

    for (const endpoint of ['EMS-Scheduler', 'Regional-Hospital']) {
      expect(linesOf('policy.approved', endpoint)).toEqual([
        expect.stringMatching(/^✓ 200 {2}\(attempt 1, \d+ ms\)$/),
      ])
    }
    expect(linesOf('schedule.updated', 'EMS-Scheduler')).toEqual([
      expect.stringMatching(/^✓ 200 {2}\(attempt 1, /),
    ])
    expect(linesOf('schedule.updated', 'Regional-Hospital')).toEqual([
      expect.stringMatching(/^✗ ECONNREFUSED: .*\(attempt 1, /),
      expect.stringMatching(/^… next attempt in \d\.\d s$/),
      expect.stringMatching(/^✗ ECONNREFUSED: .*\(attempt 2, /),
      expect.stringMatching(/^… next attempt in \d\.\d s$/),
      expect.stringMatching(/^✗ ECONNREFUSED: .*\(attempt 3, /),
      expect.stringMatching(/^… next attempt in \d\.\d s$/),
      expect.stringMatching(/^✓ 200 {2}\(attempt 4, /),
    ])
    expect(demo.output).toContain('Everything was delivered')
    expect(demo.output).toMatch(
      /http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/schedule\.updated%2F[0-9a-f-]{36}/,
    )
    expect(demo.output).toBe(stripVTControlCharacters(demo.output))
    expect(await remainsIn(folder)).toEqual([])
  },
)

test(
  'the demo fails, and says what is missing, when a delivery does not arrive',
  { timeout: 120_000 },
  async () => {
    const { program, folder } = await startDemo('--once', '--keep-down', '--timeout', '4')
    await using demo = program

    expect(await ending(demo)).toMatchObject({ code: 1 })
    expect(demo.output).toContain('✗ schedule.updated was not delivered to Regional-Hospital within 4 s')
    expect(demo.output).not.toContain('Everything was delivered')
    expect(await remainsIn(folder)).toEqual([])
  },
)

test('the demo waits for Ctrl-C and takes everything with it', { timeout: 120_000 }, async () => {
  const { program, folder } = await startDemo()
  await using demo = program
  await demo.waitForOutput('Ctrl-C ends the demo.')

  void demo.end('SIGINT')
  expect(await ending(demo)).toMatchObject({ code: 0 })
  expect(await remainsIn(folder)).toEqual([])
})

test('the demo explains its options', async () => {
  const { program } = await startDemo('--help')
  await using demo = program

  expect(await ending(demo)).toMatchObject({ code: 0 })
  expect(demo.output).toContain('--once')
})
