import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const FENCE = /^```(\S*)[^\n]*\n(.*?)^```$/gms

/** A fenced block of a page. */
export interface DocBlock {
  /** Path of the page, from the root of the repository. */
  file: string
  /** Where its code begins, from 1. */
  line: number
  /** What is said behind the fence, or nothing. */
  language: string
  code: string
}

/** The pages whose every block is checked: the README, and all in `docs/`. */
export async function docFiles(): Promise<string[]> {
  const inDocs = await readdir('docs', { recursive: true })
  return ['README.md', ...inDocs.filter((name) => name.endsWith('.md')).map((name) => join('docs', name))]
}

/** The blocks of a page, in their order. */
export async function readBlocks(file: string): Promise<DocBlock[]> {
  const text = await readFile(file, 'utf8')
  return [...text.matchAll(FENCE)].map(({ index, 1: language = '', 2: code = '' }) => ({
    file,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    code,
  }))
}

/**
 * The one block of a language that holds `part`.
 * @throws where there is none, or several
 */
export function blockWith(blocks: readonly DocBlock[], language: string, part: string): DocBlock {
  const found = blocks.filter((block) => block.language === language && block.code.includes(part))
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  throw new Error(`${found.length} blocks of ${language || 'no language'} with ${JSON.stringify(part)}`)
}

/** Whether pages are to say what was found, instead of being compared with it: `UPDATE_DOCS=1`. */
export const IS_UPDATE = process.env['UPDATE_DOCS'] === '1'

/** What a page shows, which is `found` once pages are updated. */
export async function shownIn(block: DocBlock, found: string): Promise<string> {
  if (!IS_UPDATE) return block.code
  await updateBlock(block, found)
  return found
}

/** Puts other code into a block. */
async function updateBlock({ file, language, code }: DocBlock, to: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  const block = (content: string): string => `\`\`\`${language}\n${content}\`\`\`\n`
  await writeFile(
    file,
    text.replace(block(code), () => block(to)),
  )
}
