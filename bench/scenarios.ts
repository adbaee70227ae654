import type { Scenario } from './scenario.js'
import { backlog } from './scenarios/backlog.js'
import { burst1 } from './scenarios/burst1.js'
import { burst20 } from './scenarios/burst20.js'
import { fanout1 } from './scenarios/fanout1.js'
import { fanout20 } from './scenarios/fanout20.js'
import { fanout5000 } from './scenarios/fanout5000.js'
import { floor } from './scenarios/floor.js'
import { growth } from './scenarios/growth.js'
import { hangingNeighbour } from './scenarios/hanging-neighbour.js'
import { httpBurst1 } from './scenarios/http-burst1.js'
import { httpIdle } from './scenarios/http-idle.js'
import { idle } from './scenarios/idle.js'
import { recovery } from './scenarios/recovery.js'
import { soak } from './scenarios/soak.js'

/** The growth table, which is long; `--quick` leaves it out. */
export const GROWTH: Scenario = growth

/** All scenarios but the growth table, in the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  floor,
  fanout1,
  fanout20,
  burst1,
  burst20,
  fanout5000,
  idle,
  httpIdle,
  httpBurst1,
  hangingNeighbour,
  backlog,
  recovery,
  soak,
]

/** @throws {RangeError} on a name that there is not */
export function findScenario(name: string): Scenario {
  const scenario = [...SCENARIOS, GROWTH].find((candidate) => candidate.name === name)
  if (scenario === undefined) throw new RangeError(`no scenario ${JSON.stringify(name)}`)
  return scenario
}
