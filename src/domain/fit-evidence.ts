import type { Delivery } from './delivery.js'

/**
 * What the deliveries of one payload may take, in characters of JSON; three bytes each at the most, beside an
 * event of 1 MiB, stay below Temporal's 2 MiB.
 */
const MAX_CHARACTERS = 300_000

/** Ways to say less, from the fullest; what an operator needs least goes first. */
const REDUCTIONS: readonly ((delivery: Delivery) => Delivery)[] = [
  (delivery) => delivery,
  withoutExcerpts,
  (delivery) => withoutExcerpts(withLastEvidence(delivery)),
  withoutEvidence,
]

/** The deliveries with as much evidence as fits into one payload: one over the limit would stop the workflow. */
export function fitEvidence(
  deliveries: readonly Delivery[],
  maxCharacters: number = MAX_CHARACTERS,
): Delivery[] {
  let fitted: Delivery[] = []
  for (const reduce of REDUCTIONS) {
    fitted = deliveries.map(reduce)
    if (JSON.stringify(fitted).length <= maxCharacters) break
  }
  return fitted
}

function withoutExcerpts(delivery: Delivery): Delivery {
  const { evidence } = delivery
  if (evidence === undefined) return delivery
  return { ...delivery, evidence: evidence.map(({ excerpt: _excerpt, ...attempt }) => attempt) }
}

function withLastEvidence(delivery: Delivery): Delivery {
  const { evidence } = delivery
  return evidence === undefined ? delivery : { ...delivery, evidence: evidence.slice(-1) }
}

function withoutEvidence(delivery: Delivery): Delivery {
  const { evidence: _evidence, ...kept } = delivery
  return kept
}
