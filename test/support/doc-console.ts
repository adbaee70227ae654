/** A command of a `console` block, and what the page says that it prints. */
export interface ShownCommand {
  command: string
  output: string
}

/** What differs each time, and what is put in its place. */
const VARYING: readonly [RegExp, string][] = [
  // A spinner, where there is no terminal.
  [/^- .*\n/gm, ''],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/("(?:durationMs|firstByteMs|revision|sent)": ?)[\d.]+/g, '$1<number>'],
  [/(_total(?:\{[^}]*\})? )\d+/g, '$1<number>'],
  [/("nextCursor": ?)"[^"]+"/g, '$1"<cursor>"'],
  [/\b\d+ of \d+\b/g, '<part>'],
  [/\b\d+ sent\b/g, '<number> sent'],
  [/\b(?:0\.0\.0\.0):\d+/g, '0.0.0.0:<port>'],
  [/\b[\d.]+ ms\b/g, '<duration>'],
  [/\b(now|in \d+ [smhd]|\d+ [smhd] ago)\b/g, '<when>'],
  [/\b127\.0\.0\.1:\d+/g, '127.0.0.1:<port>'],
  [/\bsync_(emit|operate|admin)_[\w-]+/g, 'sync_$1_<token>'],
  [/\b(emit|operate|admin):[0-9a-f]{8,64}/g, '$1:<hash>'],
  [/\b(whsec_)[\w+/=]+/g, '$1<secret>'],
  [/\b[\w-]+@[\w-][\w.-]*/g, '<actor>'],
  [/\b(Node|Temporal) \d[\w.-]*/g, '$1 <version>'],
  // Columns are as wide as what differs each time.
  [/[ \t]{2,}/g, '  '],
  [/[ \t]+$/gm, ''],
]

/** Reads the commands of a block: they begin with `$ `, and go on behind a backslash at the end of a line. */
export function shownCommands(code: string): ShownCommand[] {
  return code
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [, command = '', output = ''] = /^((?:[^\n]*\\\n)*[^\n]*)\n?(.*)$/s.exec(part) ?? []
      return { command, output }
    })
}

/** Text without what differs each time. */
export function steady(text: string): string {
  return VARYING.reduce((changed, [pattern, by]) => changed.replaceAll(pattern, by), text)
}

/**
 * Whether the output is what a page shows. `…` there stands for anything within the line, and on a line of its own
 * for any lines.
 */
export function isShown(output: string, shown: string): boolean {
  const lines = steady(shown).split('\n').slice(0, -1)
  const pattern = lines.map((line) =>
    line.trim() === '…' ? '(?:.*\n)*?' : `${line.split('…').map(escaped).join('.*')}\n`,
  )
  return new RegExp(`^${pattern.join('')}$`).test(steady(output))
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
