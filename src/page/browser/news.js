import { byId, setText } from './dom.js'

const SHOWN_MS = 8_000
/** More at once are told as a number. */
const MAX_TOLD = 3

/** @type {Record<string, string>} */
const STATES = {
  upToDate: 'is up to date',
  retrying: 'does not answer as it should, and is tried again',
  behind: 'is behind',
  paused: 'is paused',
  unusable: 'has settings that are not accepted',
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding

/**
 * Shows what has come of something that was done here; screen readers say it.
 * @param {string} text
 */
export function tell(text) {
  const node = byId('news', HTMLElement)
  setText(node, text)
  node.hidden = false
  clearTimeout(hiding)
  hiding = setTimeout(() => (node.hidden = true), SHOWN_MS)
}

/**
 * Makes screen readers say which endpoints have changed their state since the last time.
 * @returns {(endpoints: readonly import('./wire.js').EndpointStatus[]) => void}
 */
export function announceChanges() {
  /** @type {Map<string, string>} */
  const before = new Map()
  const node = byId('announcements', HTMLElement)
  return (endpoints) => {
    const changed = endpoints.filter(({ name, state }) => before.has(name) && before.get(name) !== state)
    for (const { name, state } of endpoints) before.set(name, state)
    if (changed.length === 0) return
    const told = changed.map(({ name, state }) => `${name} ${STATES[state] ?? state}`).join('; ')
    setText(node, changed.length > MAX_TOLD ? `${changed.length} endpoints have changed their state` : told)
  }
}
