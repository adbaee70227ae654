/** The floor: a workflow that does nothing. Whatever Temporal costs for one workflow, it costs here. */
export async function doNothing(): Promise<void> {}
