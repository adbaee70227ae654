import ora, { type Ora } from 'ora'
import { isJsonWanted } from './output.js'

/**
 * Shows progress; lines instead of a spinner where there is no terminal to draw on, or one 0 columns wide, and nothing
 * where JSON is wanted.
 */
export function progressSpinner(text: string): Ora {
  const stream = process.stderr
  const isEnabled = stream.isTTY && stream.columns > 0
  return ora({ text, stream, isEnabled, isSilent: isJsonWanted() }).start()
}
