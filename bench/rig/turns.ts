/** How often the parts of a comparison take turns: the machine is not as quick at one moment as at another. */
const TURNS = 3

/**
 * Measures what is compared in turns, so that a slow moment hits each part alike.
 * @param measure one turn, in which each part is measured once
 */
export async function inTurns<Turn>(measure: () => Promise<Turn>): Promise<Turn[]> {
  const turns: Turn[] = []
  for (let turn = 1; turn <= TURNS; turn += 1) turns.push(await measure())
  return turns
}
