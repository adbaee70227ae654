/** An endpoint to which nothing is delivered, for a reason that is the endpoint's. */
export interface Outage {
  endpoint: string
  reason: 'down' | 'misconfigured'
  /** RFC 3339; with the endpoint's name it identifies the outage. */
  since: string
  /** What the attempt said by which it was noticed. */
  error?: string
}

/** An outage as it is on record until both its beginning and its end were told. */
export interface OutageRecord extends Outage {
  /** RFC 3339; absent while it lasts. */
  recoveredAt?: string
  /** Whether its last turn, its beginning or its end, was told. */
  isTold: boolean
}

/**
 * The outages that workers have noticed, one for each endpoint at most, so that several workers tell of each once.
 * Every method rejects with `STORE_UNAVAILABLE` where the database does not answer.
 */
export interface Outages {
  list(): Promise<OutageRecord[]>
  /** @returns whether it is news: none of the endpoint is on record */
  begin(outage: Outage): Promise<boolean>
  /** @returns the outage, where it is news that it is over */
  end(endpoint: string, recoveredAt: string): Promise<Outage | undefined>
  /** Its last turn was told; one that is over is forgotten. */
  markTold(outage: Outage): Promise<void>
}
