import { expect } from 'vitest'
import { startMessagingProgram } from './messaging-program.js'

/** Registers an endpoint in another process, of which nobody in this one is told. */
export async function registerElsewhere(name: string, location: string): Promise<void> {
  const fixture = new URL('../store/fixtures/open-new.ts', import.meta.url)
  const program = startMessagingProgram(fixture, [name, location])
  expect(await program.next()).toBe('ready')
  program.send('go')
  expect(await program.next()).toBe('done')
}
