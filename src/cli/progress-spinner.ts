import ora, { type Ora } from 'ora'

/** Shows progress; lines instead of a spinner where there is no terminal to draw on, or one 0 columns wide. */
export function progressSpinner(text: string): Ora {
  const stream = process.stderr
  return ora({ text, stream, isEnabled: stream.isTTY && stream.columns > 0 }).start()
}
