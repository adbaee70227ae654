import { DefaultFailureConverter } from '@temporalio/common'

/**
 * Puts a failure's message and stack trace into a payload, which the codec encrypts; in their place Temporal
 * shows `Encoded failure`. Temporal's SDK loads this module by its path, in the workflow sandbox too.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
