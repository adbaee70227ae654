/** Tells the emitter in a worker's process when the worker has got to an event. */
export class WorkerPace {
  readonly #expected = new Map<string, () => void>()

  /** Called by the worker when it begins with an event's first attempts. */
  hasBegun(workflowId: string): void {
    this.#expected.get(workflowId)?.()
  }

  /** @returns a promise that it has, and a function that forgets it */
  expect(workflowId: string): { begun: Promise<void>; forget: () => void } {
    const begun = new Promise<void>((resolve) => this.#expected.set(workflowId, resolve))
    return { begun, forget: () => void this.#expected.delete(workflowId) }
  }
}
