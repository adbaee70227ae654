import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { isShown, shownCommands, steady, type ShownCommand } from './doc-console.js'
import { IS_UPDATE, readBlocks, shownIn, type DocBlock } from './doc-blocks.js'
import { openDocShell, type DocShell } from './doc-shell.js'

/** Programs that serve until they are stopped. */
const SERVES = /(^|\s)npx external-sync (start|serve|worker|codec)\b/
/** Where such a program serves. */
const URL_PATTERN = /http:\/\/[\d.]+:\d+/
/** Where it does on pages that leave that out. */
const DEFAULT_URL = 'http://127.0.0.1:8080'
/** Commands that change nothing, and may be given again: what they show comes a moment after its cause. */
const LOOKS =
  /^(api "?\$API|curl -s (-H "[^"]*" )?\S+|grep |tail |npx external-sync (events|endpoints (list|show|test)|deliveries waiting|doctor))/
const LOOK_TRIES = IS_UPDATE ? 4 : 40
const LOOK_INTERVAL_MS = 500

/** How the commands of a page are run. */
export interface DocRunOptions {
  /** What the page says, and what is meant by it here: hosts, folders. Longer texts first. */
  standsFor: Map<string, string>
  /** Done before a block that holds the text: the situation that it is about. */
  before?: Readonly<Record<string, (shell: DocShell) => Promise<unknown>>>
  /** Done at the end, while what was started is there. */
  after?: (shell: DocShell) => Promise<unknown>
  /** Which of the page's blocks are run. @default all */
  runs?: (block: DocBlock) => boolean
  /** Variables of the shell. */
  variables?: NodeJS.ProcessEnv
}

/**
 * Runs every `console` and `sh` block of a page in one shell, in their order, and compares what the commands print
 * with what the page shows, but for what differs each time.
 */
export async function runDoc(file: string, options: DocRunOptions): Promise<void> {
  await using shell = await openDocShell(options.variables)
  options.standsFor.set('/srv/city', shell.folder)
  const unused = new Set(Object.keys(options.before ?? {}))
  for (const block of await readBlocks(file)) {
    if (block.language !== 'console' && block.language !== 'sh') continue
    if (options.runs?.(block) === false) continue
    for (const [part, prepare] of Object.entries(options.before ?? {})) {
      if (!block.code.includes(part) || !unused.delete(part)) continue
      await prepare(shell)
    }
    if (block.language === 'sh') await runScript(block, shell, options)
    else await runBlock(block, shell, options)
  }
  await options.after?.(shell)
  expect([...unused], 'what is done before blocks that are not there').toEqual([])
}

async function runScript(block: DocBlock, shell: DocShell, options: DocRunOptions): Promise<void> {
  const output = await shell.run(
    `trap 'echo "FAILED: $BASH_COMMAND"' ERR\n${meant(block.code, options)}\ntrap - ERR`,
  )
  expect(output, `${block.file}:${block.line}`).not.toContain('FAILED: ')
}

async function runBlock(block: DocBlock, shell: DocShell, options: DocRunOptions): Promise<void> {
  let shown = ''
  for (const command of shownCommands(block.code)) {
    const output = await runCommand(command, shell, options)
    const printed = isShown(output, command.output) ? command.output : output
    shown += `$ ${command.command}\n${printed}`
  }
  expect(steady(shown), `${block.file}:${block.line}`).toBe(steady(await shownIn(block, shown)))
}

async function runCommand(
  { command, output: expected }: ShownCommand,
  shell: DocShell,
  options: DocRunOptions,
): Promise<string> {
  const meantCommand = meant(command, options)
  if (SERVES.test(command)) {
    const output = await shell.start(meantCommand)
    const [said = DEFAULT_URL] = URL_PATTERN.exec(expected) ?? []
    const [url] = URL_PATTERN.exec(output) ?? []
    if (url !== undefined) options.standsFor.set(said, url)
    return asShown(output, options)
  }
  let output = asShown(await shell.run(meantCommand), options)
  const tries = LOOKS.test(command) ? LOOK_TRIES : 1
  for (let tried = 1; tried < tries && !isShown(output, expected); tried += 1) {
    await sleep(LOOK_INTERVAL_MS)
    output = asShown(await shell.run(meantCommand), options)
  }
  return output
}

function meant(command: string, { standsFor }: DocRunOptions): string {
  return [...standsFor].reduce((changed, [said, here]) => changed.replaceAll(said, here), command)
}

function asShown(output: string, { standsFor }: DocRunOptions): string {
  const shown = [...standsFor].reduce((changed, [said, here]) => changed.replaceAll(here, said), output)
  return shown.replace(/[^\n]$/, '$&\n')
}
