/** A process of callers of an HTTP API, as another service is one; it is told what to emit by its parent. */
import { callersOf, type Calls } from './callers.js'
import { httpEmitter } from './http-emitter.js'

process.on('message', ({ url, calls }: { url: string; calls: Calls }) => {
  void emitAll(url, calls).then((emittedAtMs) => process.send?.(emittedAtMs))
})
process.on('disconnect', () => process.exit())

async function emitAll(url: string, calls: Calls): Promise<number[]> {
  await using emitter = httpEmitter(url, calls.callers)
  return await callersOf(emitter).emitAll(calls)
}
