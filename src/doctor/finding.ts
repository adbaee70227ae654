/** What one check came to. */
export interface Finding {
  /** `warning` is what works, but may not be meant so. */
  status: 'ok' | 'warning' | 'error'
  /** What was found. */
  text: string
  /** What to do about it. */
  advice?: string
}

/** Gets each finding as soon as it is there. */
export type ReportFinding = (finding: Finding) => void

/** @param text what was found */
export function ok(text: string): Finding {
  return { status: 'ok', text }
}

/** @param text what was found, @param advice what to do about it */
export function warning(text: string, advice: string): Finding {
  return { status: 'warning', text, advice }
}

/** @param text what was found, @param advice what to do about it */
export function error(text: string, advice?: string): Finding {
  return { status: 'error', text, ...(advice !== undefined && { advice }) }
}
