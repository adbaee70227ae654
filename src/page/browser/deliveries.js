import { path, read } from './api.js'
import { element, unseen } from './dom.js'
import { age, counted, until } from './format.js'
import { badge } from './icons.js'

/**
 * @typedef {import('./wire.js').Actions} Actions
 * @typedef {import('./wire.js').Delivery} Delivery
 * @typedef {import('./wire.js').ListedEvent} ListedEvent
 */

const PAGE_SIZE = 50

/** @param {Pick<ListedEvent, 'type' | 'id'>} event */
export function eventPath({ type, id }) {
  return `/v1/events${path(type, id)}`
}

/**
 * The deliveries of an event, which are read when they are to be seen.
 * @param {ListedEvent} event
 * @param {Actions} actions
 */
export function deliveryList(event, actions) {
  const list = element('ul', { class: 'deliveries' })
  const note = element('p', { class: 'note', role: 'status' }, 'Loading …')
  const more = element('button', { type: 'button', hidden: true }, 'Show more deliveries')
  const node = element('div', {}, note, list, more)
  let pages = 1
  let latest = 0
  let shown = ''

  const load = async () => {
    const turn = (latest += 1)
    try {
      const { deliveries, nextCursor } = await readPages(event, pages)
      if (turn !== latest) return
      note.hidden = deliveries.length > 0
      note.textContent = 'No endpoint wanted this event.'
      more.hidden = nextCursor === undefined
      const next = JSON.stringify(deliveries)
      // Ages are told anew, unless somebody is about to press a button.
      if (next === shown && list.contains(document.activeElement)) return
      const focused = [...list.querySelectorAll('button')].findIndex((one) => one === document.activeElement)
      list.replaceChildren(...deliveries.map((delivery) => deliveryRow(event, delivery, actions)))
      if (focused >= 0) [...list.querySelectorAll('button')].at(focused)?.focus({ preventScroll: true })
      shown = next
    } catch (error) {
      if (turn !== latest) return
      note.hidden = false
      note.textContent = `They cannot be shown: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  more.addEventListener('click', () => {
    pages += 1
    void load()
  })
  return { node, load }
}

/**
 * @param {ListedEvent} event
 * @param {number} pages
 * @returns {Promise<import('./wire.js').DeliveryPage>}
 */
async function readPages(event, pages) {
  /** @type {Delivery[]} */
  const deliveries = []
  /** @type {string | undefined} */
  let cursor
  for (let page = 0; page < pages; page += 1) {
    const from = cursor === undefined ? '' : `&cursor=${cursor}`
    const answer = await read(`${eventPath(event)}?limit=${PAGE_SIZE}${from}`)
    deliveries.push(...(answer?.body.deliveries ?? []))
    cursor = answer?.body.nextCursor
    if (cursor === undefined) break
  }
  return { deliveries, ...(cursor !== undefined && { nextCursor: cursor }) }
}

/**
 * @param {ListedEvent} event
 * @param {Delivery} delivery
 * @param {Actions} actions
 */
function deliveryRow(event, delivery, actions) {
  const { endpoint, state, lastError, evidence } = delivery
  const excerpt = evidence?.at(-1)?.excerpt
  const isOpen = state === 'waiting' || state === 'attempting'
  return element(
    'li',
    { class: 'delivery' },
    element('div', { class: 'delivery-head' }, element('strong', {}, endpoint), badge(...badgeOf(delivery))),
    element('p', { class: 'meta' }, describe(delivery)),
    lastError === undefined ? undefined : element('p', { class: 'error' }, lastError),
    excerpt === undefined || excerpt === '' ? undefined : element('pre', {}, excerpt),
    isOpen
      ? element(
          'button',
          { type: 'button', click: () => actions.retry(event, endpoint) },
          'Retry',
          unseen(` ${event.type} ${event.id} to ${endpoint}`),
        )
      : undefined,
  )
}

/**
 * @param {Delivery} delivery
 * @returns {Parameters<typeof badge>}
 */
function badgeOf({ state, reason, attempts }) {
  switch (state) {
    case 'delivered':
      return ['check', 'good', 'Delivered']
    case 'discarded':
      return ['cross', 'calm', 'Discarded']
    case 'waiting':
      return reason === 'paused' ? ['pause', 'calm', 'Paused'] : ['wait', 'bad', `Waiting: ${reason}`]
    case 'attempting':
      return attempts > 0 ? ['retry', 'warn', 'Retrying'] : ['retry', 'calm', 'On its way']
  }
}

/** @param {Delivery} delivery */
function describe({ state, reason, attempts, lastStatus, nextRetryAt, endedAt }) {
  return [
    counted(attempts, 'attempt'),
    ...(lastStatus === undefined ? [] : [`last status ${lastStatus}`]),
    ...(state === 'discarded' && reason !== undefined ? [`because ${reason}`] : []),
    ...(nextRetryAt === undefined ? [] : [`next attempt ${until(nextRetryAt)}`]),
    ...(endedAt === undefined ? [] : [`ended ${age(endedAt)}`]),
  ].join(', ')
}
