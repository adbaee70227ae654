import { ApiError, read } from './api.js'
import { createActions } from './actions.js'
import { createCharts } from './chart.js'
import { byId, setAttribute, setText } from './dom.js'
import { endpointRow } from './endpoints.js'
import { eventRow } from './events.js'
import { clock, counted, serverNow } from './format.js'
import { keyedList } from './keyed-list.js'
import { announceChanges } from './news.js'
import { readSession, signIn, signOut } from './sign-in.js'
import { showSummary } from './summary.js'

/** @typedef {import('./wire.js').Status} Status */

const POLL_MS = 2_000
/** How long a server that does not answer is left alone. */
const RETRY_MS = 5_000
const TYPING_MS = 250
const LIMITS = [50, 200]

const live = byId('live', HTMLElement)
const notice = byId('notice', HTMLElement)
const match = byId('match', HTMLInputElement)

/** What is shown, and the tag by which the server knows it. */
/** @type {Status | undefined} */
let status
/** @type {string | undefined} */
let etag
/** @type {number | undefined} */
let updatedAt
let limit = LIMITS[0]
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
/** Counts what is asked: an answer to an older question is dropped. */
let turn = 0

const actions = createActions({ status: () => status, refresh: () => void refresh() })
const showEndpoints = keyedList(
  byId('endpoints', HTMLElement),
  ({ name }) => name,
  (endpoint) => endpointRow(endpoint, actions),
)
const showEvents = keyedList(
  byId('events', HTMLElement),
  ({ workflowId }) => workflowId,
  (event) => eventRow(event, actions),
)
const showCharts = createCharts()
const announce = announceChanges()

/** Asks for the status, shows it, and does so again soon; never while nobody sees the page. */
async function refresh() {
  clearTimeout(timer)
  if (document.hidden) return showLive('paused', 'Paused in the background')
  const mine = (turn += 1)
  let nextMs = POLL_MS
  try {
    const query = new URLSearchParams({
      limit: String(limit),
      ...(match.value !== '' && { match: match.value }),
      // The first answer is to be there soon; the next one says the rest.
      ...(status === undefined && { brief: 'true' }),
    })
    const answer = await read(`/v1/status?${query}`, etag)
    if (mine !== turn) return
    if (answer !== undefined) ({ body: status, etag } = answer)
    updatedAt = serverNow()
    notice.hidden = true
    showLive('live', 'Live')
  } catch (error) {
    if (mine !== turn) return
    if (error instanceof ApiError && error.status === 401) return askToSignIn()
    nextMs = RETRY_MS
    showTrouble(error instanceof Error ? error.message : String(error))
  }
  if (status !== undefined) show(status)
  timer = setTimeout(() => void refresh(), nextMs)
}

/** @param {Status} shown */
function show(shown) {
  byId('status', HTMLElement).hidden = false
  showSummary(shown)
  showEndpoints(shown.endpoints)
  showEvents(shown.events)
  showCharts(shown.minutes)
  announce(shown.endpoints)
  const { totals, endpoints, events, more } = shown
  byId('no-events', HTMLElement).hidden = events.length > 0
  const empty = byId('no-endpoints', HTMLElement)
  empty.hidden = endpoints.length > 0
  setText(empty, totals.all === 0 ? 'No endpoint is registered yet.' : 'No endpoint has this in its name.')
  byId('more', HTMLElement).hidden = more === 0
  setText(
    byId('more-text', HTMLElement),
    `${counted(more, 'more endpoint')}, in less trouble: filter by name.`,
  )
  byId('more-button', HTMLElement).hidden = limit === LIMITS.at(-1)
  const ui = byId('temporal-ui', HTMLAnchorElement)
  const href = actions.workflowUrl('')
  ui.hidden = href === undefined
  if (href !== undefined) setAttribute(ui, 'href', href)
}

/**
 * @param {string} name
 * @param {string} text
 */
function showLive(name, text) {
  setText(live, text)
  setAttribute(live, 'data-live', name)
}

/** @param {string} reason */
function showTrouble(reason) {
  showLive('lost', 'Not up to date')
  const age =
    updatedAt === undefined ? '' : ` What is shown is of ${clock(new Date(updatedAt).toISOString())}.`
  setText(notice, `The status cannot be read: ${reason}.${age}`)
  notice.hidden = false
}

async function askToSignIn() {
  status = undefined
  etag = undefined
  notice.hidden = true
  byId('status', HTMLElement).hidden = true
  byId('sign-out', HTMLElement).hidden = true
  byId('temporal-ui', HTMLElement).hidden = true
  showLive('out', 'Signed out')
  await signIn()
  byId('sign-out', HTMLElement).hidden = false
  await refresh()
  byId('verdict', HTMLElement).focus()
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing
match.addEventListener('input', () => {
  clearTimeout(typing)
  typing = setTimeout(() => void refresh(), TYPING_MS)
})
byId('more-button', HTMLButtonElement).addEventListener('click', () => {
  limit = LIMITS.at(-1)
  void refresh()
})
byId('sign-out', HTMLButtonElement).addEventListener('click', () => {
  clearTimeout(timer)
  turn += 1
  signOut().then(askToSignIn, (error) => showTrouble(error.message))
})
document.addEventListener('visibilitychange', () => void refresh())

void refresh()
readSession().then(
  ({ isThere }) => (byId('sign-out', HTMLElement).hidden = !isThere),
  () => undefined,
)
