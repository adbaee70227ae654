import { path, read } from './api.js'
import { element, setAttribute, setText, unseen } from './dom.js'
import { waitingEvents } from './events.js'
import { age, clock, counted, exactTime, formatNumber } from './format.js'
import { badge } from './icons.js'

/**
 * @typedef {import('./wire.js').EndpointStatus} EndpointStatus
 * @typedef {import('./wire.js').Actions} Actions
 */

/** @type {Record<string, string>} */
const REASONS = {
  down: 'it does not answer as it should',
  misconfigured: 'its URL or credentials seem to be wrong',
  rejected: 'it does not accept them',
}

/** @type {Record<string, string>} */
const REASON_NAMES = { down: 'Down', misconfigured: 'Misconfigured', rejected: 'Rejected' }

/**
 * A row of an endpoint: where it stands, and what can be done about it.
 * @param {EndpointStatus} first
 * @param {Actions} actions
 * @returns {import('./keyed-list.js').Row<EndpointStatus>}
 */
export function endpointRow(first, actions) {
  const { name } = first
  let endpoint = first
  const badges = element('div', { class: 'badges' })
  const sentence = element('p', { class: 'sentence' })
  const meta = element('p', { class: 'meta' })
  const stateWord = element('span')
  const stateButton = element(
    'button',
    {
      type: 'button',
      click: () => (endpoint.state === 'paused' ? actions.resume(endpoint) : actions.pause(endpoint)),
    },
    stateWord,
    unseen(` ${name}`),
  )
  const testButton = element(
    'button',
    { type: 'button', click: () => actions.test(endpoint) },
    'Test',
    unseen(` ${name}`),
  )
  const waiting = waitingEvents(name, actions, () =>
    read(`/v1/events?limit=10&waitingOn=${encodeURIComponent(name)}`).then((answer) => answer?.body.events),
  )
  const node = element(
    'li',
    { class: 'row endpoint' },
    element('div', { class: 'row-head' }, element('h3', {}, name), badges),
    element('div', { class: 'row-body' }, sentence, meta),
    element('div', { class: 'actions' }, testButton, stateButton),
    waiting.node,
  )
  let shownBadges = ''
  return {
    node,
    update: (next) => {
      endpoint = next
      setAttribute(node, 'data-state', next.state)
      const wanted = badgesOf(next)
      const key = wanted.map((part) => part.join()).join('|')
      if (key !== shownBadges) badges.replaceChildren(...wanted.map((part) => badge(...part)))
      shownBadges = key
      setText(sentence, sentenceOf(next))
      setText(meta, metaOf(next))
      setAttribute(meta, 'title', titleOf(next))
      setText(stateWord, next.state === 'paused' ? 'Resume' : 'Pause')
      waiting.update(next.waiting)
    },
  }
}

/**
 * @param {EndpointStatus} endpoint
 * @returns {Parameters<typeof badge>[]}
 */
function badgesOf({ state, reason, waiting, atLeast, ...endpoint }) {
  const behind = `Behind by ${formatNumber(waiting)}${atLeast === true ? ' or more' : ''}`
  switch (state) {
    case 'upToDate':
      return [['check', 'good', 'Up to date']]
    case 'retrying':
      return [['retry', 'warn', 'Retrying']]
    case 'paused':
      return waiting > 0
        ? [
            ['pause', 'calm', 'Paused'],
            ['wait', 'warn', behind],
          ]
        : [['pause', 'calm', 'Paused']]
    case 'unusable':
      return [['cross', 'bad', 'Unusable settings']]
    case 'behind':
      if (reason !== undefined)
        return [
          ['alert', 'bad', behind],
          ['cross', 'bad', REASON_NAMES[reason] ?? reason],
        ]
      return isCatchingUp(endpoint)
        ? [
            ['retry', 'warn', behind],
            ['check', 'good', 'Catching up'],
          ]
        : [['alert', 'bad', behind]]
  }
}

/** @param {EndpointStatus} endpoint */
function sentenceOf(endpoint) {
  const { state, reason, problem, waiting, since } = endpoint
  const waits = `${waitOf(endpoint)}${sinceOf(endpoint)}`
  switch (state) {
    case 'upToDate':
      return 'Nothing waits for it.'
    case 'retrying':
      return `Its attempts fail${since === undefined ? '' : `, first at ${clock(since)}`}. They are made again soon.`
    case 'paused':
      return waiting > 0 ? `${waits} until it is resumed.` : 'What comes waits until it is resumed.'
    case 'unusable':
      return problem ?? 'Its settings are not accepted.'
    case 'behind':
      if (reason !== undefined) return `${waits}: ${REASONS[reason]}.`
      return isCatchingUp(endpoint) ? `${waits}, and it takes them one after the other.` : `${waits}.`
  }
}

/** @param {EndpointStatus} endpoint */
function waitOf({ waiting, atLeast }) {
  if (atLeast === true) return `${counted(waiting, 'delivery', 'deliveries')} or more wait`
  return `${counted(waiting, 'delivery', 'deliveries')} ${waiting === 1 ? 'waits' : 'wait'}`
}

/** @param {EndpointStatus} endpoint */
function sinceOf({ since, orEarlier, waiting }) {
  if (since === undefined) return ''
  const at = `${clock(since)} (${age(since)})${orEarlier === true ? ' or earlier' : ''}`
  return waiting === 1 ? `, since ${at}` : `, the oldest since ${at}`
}

/** @param {Pick<EndpointStatus, 'lastDeliveredAt' | 'lastFailedAt'>} endpoint */
function isCatchingUp({ lastDeliveredAt = '', lastFailedAt = '' }) {
  return lastDeliveredAt > lastFailedAt
}

/** @param {EndpointStatus} endpoint */
function metaOf({ lastDeliveredAt, lastFailedAt }) {
  if (lastDeliveredAt === undefined && lastFailedAt === undefined) return 'Nothing was sent to it yet'
  return [
    lastDeliveredAt === undefined ? 'Nothing delivered yet' : `Last delivered ${age(lastDeliveredAt)}`,
    ...(lastFailedAt === undefined ? [] : [`last failure ${age(lastFailedAt)}`]),
  ].join(', ')
}

/** @param {EndpointStatus} endpoint */
function titleOf({ lastDeliveredAt, lastFailedAt }) {
  return [
    ...(lastDeliveredAt === undefined ? [] : [`delivered ${exactTime(lastDeliveredAt)}`]),
    ...(lastFailedAt === undefined ? [] : [`failed ${exactTime(lastFailedAt)}`]),
  ].join(', ')
}

/** @param {string} name */
export function endpointPath(name) {
  return `/v1/endpoints${path(name)}`
}
