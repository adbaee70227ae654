import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** What a command has left on a terminal. */
interface TerminalResult {
  code: number | null
  /** All that it has written to the terminal, the echo of what was typed included. */
  screen: string
}

/** Something to type when the screen shows a text. */
interface Answer {
  to: string
  typed: string
}

/** Runs a shell command on a terminal of so many columns, by the program `script` of util-linux. */
export async function runOnTerminal(
  command: string,
  { env, columns = 80, answer }: { env: NodeJS.ProcessEnv; columns?: number; answer?: Answer },
): Promise<TerminalResult> {
  const sized = `stty cols ${columns} && ${command}`
  const child = spawn('script', ['--quiet', '--return', '--command', sized, '/dev/null'], {
    env: { ...env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let seen = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (answer === undefined || seen.includes(answer.to)) return
    seen += chunk
    if (seen.includes(answer.to)) child.stdin.write(answer.typed)
  })
  const [screen, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { code: code as number | null, screen }
}
