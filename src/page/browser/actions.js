import { path, send } from './api.js'
import { confirm } from './confirm.js'
import { eventPath } from './deliveries.js'
import { endpointPath } from './endpoints.js'
import { counted, duration } from './format.js'
import { tell } from './news.js'

/**
 * What the page's buttons do; each asks before.
 * @param {object} page
 * @param {() => import('./wire.js').Status | undefined} page.status
 * @param {() => void} page.refresh
 * @returns {import('./wire.js').Actions}
 */
export function createActions({ status, refresh }) {
  return {
    retry: (event, endpoint) =>
      confirm({
        title: `Retry the delivery to ${endpoint}?`,
        text: `A new attempt of ${event.type} ${event.id} begins at once, and does not change what others get.`,
        action: 'Retry',
        act: async () => {
          await send('POST', `${eventPath(event)}/deliveries${path(endpoint)}/retry`)
          tell(`${endpoint}: a new attempt has begun`)
          refresh()
        },
      }),
    pause: ({ name }) =>
      confirm({
        title: `Pause ${name}?`,
        text: 'What is to be delivered to it waits until it is resumed. Nothing is lost.',
        action: 'Pause',
        act: async () => {
          await send('POST', `${endpointPath(name)}/pause`)
          tell(`${name} is paused`)
          refresh()
        },
      }),
    resume: ({ name, waiting, atLeast }) =>
      confirm({
        title: `Resume ${name}?`,
        text:
          waiting === 0
            ? 'It gets what comes again.'
            : `It gets what comes again, and first of all the ${counted(waiting, 'delivery', 'deliveries')} ` +
              `${atLeast === true ? 'or more ' : ''}that wait.`,
        action: 'Resume',
        act: async () => {
          await send('POST', `${endpointPath(name)}/resume`)
          tell(`${name} is resumed`)
          refresh()
        },
      }),
    test: ({ name }) =>
      confirm({
        title: `Send a test to ${name}?`,
        text: 'It gets one event of the type external-sync.ping. No other endpoint does, and nothing is retried.',
        action: 'Send a test',
        act: async () => tell(`${name}: ${describe(await send('POST', `${endpointPath(name)}/test`))}`),
      }),
    workflowUrl: (workflowId) => {
      const { temporalUiUrl, namespace = '' } = status() ?? {}
      if (temporalUiUrl === undefined) return undefined
      const below = workflowId === '' ? '' : path(workflowId)
      return `${temporalUiUrl}/namespaces${path(namespace)}/workflows${below}`
    },
  }
}

/** @param {import('./wire.js').TestReport} report */
function describe({ outcome, status, error, durationMs, excerpt }) {
  const answered = status === undefined ? (error ?? 'no answer') : `${status} in ${duration(durationMs)}`
  if (outcome === 'delivered') return `the test arrived, ${answered}`
  return `the test failed, ${answered}${excerpt === undefined || excerpt === '' ? '' : `: ${excerpt}`}`
}
