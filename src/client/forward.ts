import type { EmitOptions } from '../domain/event.js'

/** Anything with `on` and `off`, such as a Node `EventEmitter`. */
export interface EventSource {
  on(name: string, listener: (...args: unknown[]) => void): unknown
  off(name: string, listener: (...args: unknown[]) => void): unknown
}

/** How {@link forward} treats what it hears. */
export interface ForwardOptions {
  /** Makes the event of the listener's arguments. @default the first argument is the data */
  toEvent?: (...args: never[]) => EmitOptions & { data: unknown }
  /** Told what could not be emitted. @default the service's `error` listeners, else the log */
  onError?: (error: unknown) => void
}

/**
 * Emits an event for each one that `source` emits locally. The source never sees a failure.
 * @returns a function that ends it
 */
export function forward(
  source: EventSource,
  localName: string,
  { toEvent = firstArgument, onError }: ForwardOptions & Required<Pick<ForwardOptions, 'onError'>>,
  emit: (data: unknown, options: EmitOptions) => Promise<unknown>,
): () => void {
  const listener = (...args: unknown[]): void => {
    try {
      const { data, ...options } = toEvent(...(args as never[]))
      emit(data, options).catch(onError)
    } catch (error) {
      onError(error)
    }
  }
  source.on(localName, listener)
  return () => void source.off(localName, listener)
}

function firstArgument(...[data]: unknown[]): { data: unknown } {
  return { data }
}
