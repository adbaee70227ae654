import { deliveryList } from './deliveries.js'
import { element, setAttribute, setText, unseen } from './dom.js'
import { age, exactTime, formatNumber } from './format.js'
import { badge } from './icons.js'

/**
 * @typedef {import('./wire.js').Actions} Actions
 * @typedef {import('./wire.js').ListedEvent} ListedEvent
 */

/**
 * A row of an event, which opens to its deliveries.
 * @param {ListedEvent} first
 * @param {Actions} actions
 * @returns {import('./keyed-list.js').Row<ListedEvent>}
 */
export function eventRow(first, actions) {
  const mark = element('span', { class: 'badges' })
  const time = element('time', { class: 'meta' })
  const body = element('div', { class: 'event-body' })
  const details = element(
    'details',
    {},
    element(
      'summary',
      {},
      element(
        'span',
        { class: 'event-head' },
        element(
          'span',
          { class: 'event-name' },
          element('strong', {}, first.type),
          ' ',
          element('span', { class: 'id' }, first.id),
        ),
        mark,
        time,
      ),
    ),
    body,
  )
  /** @type {ReturnType<typeof deliveryList> | undefined} */
  let deliveries
  let shownMark = ''
  details.addEventListener('toggle', () => {
    if (!details.open) return
    if (deliveries === undefined) {
      deliveries = deliveryList(first, actions)
      body.append(deliveries.node, workflowLink(first, actions) ?? '')
    }
    void deliveries.load()
  })
  return {
    node: element('li', { class: 'row event' }, details),
    update: (event) => {
      const wanted = markOf(event)
      if (wanted.join() !== shownMark) mark.replaceChildren(badge(...wanted))
      shownMark = wanted.join()
      setText(time, age(event.acceptedAt))
      setAttribute(time, 'datetime', event.acceptedAt)
      setAttribute(time, 'title', exactTime(event.acceptedAt))
      if (details.open) void deliveries?.load()
    },
  }
}

/**
 * The events of which a delivery waits for an endpoint, read when they are to be seen.
 * @param {string} endpoint
 * @param {Actions} actions
 * @param {() => Promise<ListedEvent[]>} readEvents
 */
export function waitingEvents(endpoint, actions, readEvents) {
  const title = element('span')
  const list = element('ul', { class: 'deliveries' })
  const note = element('p', { class: 'note', role: 'status' }, 'Loading …')
  const node = element(
    'details',
    { class: 'waiting', hidden: true },
    element('summary', {}, title, unseen(` for ${endpoint}`)),
    note,
    list,
  )
  let shownCount = -1
  let shown = ''
  const load = async () => {
    try {
      const events = await readEvents()
      const next = JSON.stringify(events)
      if (next !== shown) list.replaceChildren(...events.map((event) => waitingRow(event, endpoint, actions)))
      shown = next
      note.hidden = events.length > 0
      note.textContent = 'Nothing waits any more.'
    } catch (error) {
      note.hidden = false
      note.textContent = `They cannot be shown: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  node.addEventListener('toggle', () => {
    if (node.open) void load()
  })
  return {
    node,
    /** @param {number} waiting */
    update: (waiting) => {
      node.hidden = waiting === 0 && !node.open
      setText(title, waiting > 10 ? 'The latest 10 that wait' : 'What waits')
      if (node.open && waiting !== shownCount) void load()
      shownCount = waiting
    },
  }
}

/**
 * @param {ListedEvent} event
 * @param {string} endpoint
 * @param {Actions} actions
 */
function waitingRow(event, endpoint, actions) {
  return element(
    'li',
    { class: 'delivery' },
    element(
      'div',
      { class: 'event-name' },
      element('strong', {}, event.type),
      ' ',
      element('span', { class: 'id' }, event.id),
    ),
    element('p', { class: 'meta' }, `accepted ${age(event.acceptedAt)}`),
    element(
      'div',
      { class: 'buttons' },
      element(
        'button',
        { type: 'button', click: () => actions.retry(event, endpoint) },
        'Retry',
        unseen(` ${event.type} ${event.id} to ${endpoint}`),
      ),
      workflowLink(event, actions),
    ),
  )
}

/**
 * @param {ListedEvent} event
 * @param {Actions} actions
 */
function workflowLink({ workflowId }, actions) {
  const href = actions.workflowUrl(workflowId)
  if (href === undefined) return undefined
  return element(
    'a',
    { href, rel: 'noreferrer', target: '_blank', class: 'out' },
    'Workflow in Temporal',
    unseen(` of ${workflowId} (in a new tab)`),
  )
}

/**
 * @param {ListedEvent} event
 * @returns {Parameters<typeof badge>}
 */
function markOf({ status, waiting }) {
  switch (status) {
    case 'running':
      if (waiting === 0) return ['retry', 'calm', 'On its way']
      return ['wait', 'warn', waiting === 1 ? '1 waits' : `${formatNumber(waiting)} wait`]
    case 'completed':
      return ['check', 'good', 'Complete']
    case 'failed':
      return ['cross', 'bad', 'Failed']
    case 'canceled':
    case 'terminated':
      return ['cross', 'calm', 'Ended in Temporal']
  }
}
