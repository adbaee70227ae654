import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { docFiles, readBlocks, type DocBlock } from '../support/doc-blocks.js'
import { BLOCK_CHECKS, type BlockCheck } from './block-checks.js'

const FENCED = /^```.*?^```$/gms

test('every block of the README and of docs/ is checked by a test, or says why not', async () => {
  const blocks = (await Promise.all((await docFiles()).map(readBlocks))).flat()
  expect(blocks.length).toBeGreaterThan(30)

  const unchecked = blocks.filter((block) => !BLOCK_CHECKS.some((check) => isAbout(check, block)))
  const idle = BLOCK_CHECKS.filter((check) => !blocks.some((block) => isAbout(check, block)))

  expect(unchecked.map(({ file, line, language }) => `${file}:${line} ${language}`)).toEqual([])
  expect(idle).toEqual([])
})

test('the test that is said to check a block names its page, and what it finds the block by', async () => {
  const strangers: BlockCheck[] = []
  for (const check of BLOCK_CHECKS) {
    if (!('test' in check)) continue
    const source = await readFile(check.test, 'utf8')
    const { file, part = file } = check
    if (![file, part].every((text) => source.includes(text))) strangers.push(check)
  }
  expect(strangers).toEqual([])
})

test('every link to a page of this repository leads to it, and to a heading that it has', async () => {
  const broken: string[] = []
  for (const file of ['ARCHITECTURE.md', 'CONTRIBUTING.md', ...(await docFiles())]) {
    const text = (await readFile(file, 'utf8')).replaceAll(FENCED, '')
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? file : normalize(join(dirname(file), path))
      const isThere =
        existsSync(target) && (anchor === undefined || (await anchorsOf(target)).includes(anchor))
      if (!isThere) broken.push(`${file}: ${link}`)
    }
  }
  expect(broken).toEqual([])
})

test('the README counts the test files that there are', async () => {
  const files = await readdir('test', { recursive: true })
  const count = files.filter((name) => name.endsWith('.test.ts') && !name.startsWith('cluster/')).length

  expect(await readFile('README.md', 'utf8')).toContain(` Test Files  ${count} passed (${count})`)
})

function isAbout({ file, language, part }: BlockCheck, block: DocBlock): boolean {
  return (
    file === block.file &&
    (language ?? block.language) === block.language &&
    (part === undefined || block.code.includes(part))
  )
}

/** As GitHub makes them of headings. */
async function anchorsOf(file: string): Promise<string[]> {
  const text = (await readFile(file, 'utf8')).replaceAll(FENCED, '')
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
