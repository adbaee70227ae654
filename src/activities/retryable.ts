import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'

/** What an attempt that will be retried leaves behind for whoever asks where the delivery stands. */
export interface AttemptEvidence {
  status?: number
  error?: string
}

/** The failure type under which a failed attempt is seen in Temporal. */
const ATTEMPT_FAILED = 'AttemptFailed'

/**
 * The one place where a failed attempt becomes Temporal's failure. `BENIGN`, as an endpoint that is down is
 * nothing wrong with the worker; without a stack, which would say nothing and be kept with each attempt.
 */
export function retryable(
  message: string,
  { evidence, nextRetryDelayMs }: { evidence: AttemptEvidence; nextRetryDelayMs: number },
): ApplicationFailure {
  const failure = ApplicationFailure.create({
    message,
    type: ATTEMPT_FAILED,
    nextRetryDelay: nextRetryDelayMs,
    details: [evidence],
    category: ApplicationFailureCategory.BENIGN,
  })
  failure.stack = ''
  return failure
}
