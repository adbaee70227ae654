import { byId, drawing, element } from './dom.js'
import { clock, counted, duration, formatNumber, serverNow } from './format.js'

/** @typedef {import('./wire.js').MinuteStatus} MinuteStatus */

const MINUTE_MS = 60_000
const MINUTES = 60
const HEIGHT = 120
const LEFT = 46
const BOTTOM = 20
const TOP = 8

/** @typedef {{ width: number, x: (minute: number) => number, y: (value: number) => number, bar: number }} Scale */

/**
 * Draws the last hour, again where it or the page's width has changed.
 * @returns {(minutes: readonly MinuteStatus[]) => void}
 */
export function createCharts() {
  const attempts = byId('attempts-chart', HTMLElement)
  const latency = byId('latency-chart', HTMLElement)
  /** @type {readonly MinuteStatus[]} */
  let minutes = []
  let drawn = ''
  const draw = () => {
    const now = Math.floor(serverNow() / MINUTE_MS)
    const key = JSON.stringify([minutes, now, attempts.clientWidth, latency.clientWidth])
    if (key === drawn || attempts.clientWidth === 0) return
    drawn = key
    attempts.replaceChildren(attemptsChart(minutes, now, attempts.clientWidth))
    latency.replaceChildren(latencyChart(minutes, now, latency.clientWidth))
    byId('minutes', HTMLElement).replaceChildren(...tableRows(minutes))
  }
  new ResizeObserver(draw).observe(attempts)
  return (next) => {
    minutes = next
    draw()
  }
}

/**
 * @param {readonly MinuteStatus[]} minutes
 * @param {number} now
 * @param {number} width
 */
function attemptsChart(minutes, now, width) {
  const most = roundUp(Math.max(4, ...minutes.map(({ delivered, failed }) => delivered + failed)))
  const scale = scaleOf(width, most)
  const sums = { delivered: 0, failed: 0 }
  const bars = minutes.flatMap(({ at, delivered, failed }) => {
    sums.delivered += delivered
    sums.failed += failed
    const x = scale.x(placeOf(at, now))
    const title = `${clock(at)}: ${formatNumber(delivered)} delivered, ${formatNumber(failed)} failed`
    return [
      bar('delivered', x, scale.y(delivered), scale.y(0), scale.bar, title),
      bar('failed', x, scale.y(delivered + failed), scale.y(delivered), scale.bar, title),
    ]
  })
  const label =
    minutes.length === 0
      ? 'No attempt was made in the last hour.'
      : `In the last hour ${counted(sums.delivered, 'attempt')} delivered and ${formatNumber(sums.failed)} failed.`
  return picture(
    label,
    scale,
    [0, most / 2, most].map((value) => [value, formatNumber(value)]),
    bars,
  )
}

/**
 * @param {readonly MinuteStatus[]} minutes
 * @param {number} now
 * @param {number} width
 */
function latencyChart(minutes, now, width) {
  const known = minutes.filter(({ maxLatencyMs }) => maxLatencyMs !== undefined)
  const most = roundUp(Math.max(10, ...known.map(({ maxLatencyMs = 0 }) => maxLatencyMs)))
  const scale = scaleOf(width, most)
  const marks = known.flatMap(({ at, meanLatencyMs = 0, maxLatencyMs = 0 }) => {
    const x = scale.x(placeOf(at, now))
    const middle = x + scale.bar / 2
    const title = `${clock(at)}: mean ${duration(meanLatencyMs)}, longest ${duration(maxLatencyMs)}`
    const [high, low] = [scale.y(maxLatencyMs), scale.y(meanLatencyMs)]
    return [
      drawing('line', { class: 'longest', x1: middle, x2: middle, y1: high, y2: low }),
      drawing('line', { class: 'longest', x1: middle - 2, x2: middle + 2, y1: high, y2: high }),
      drawing('circle', { class: 'mean', cx: middle, cy: low, r: 2.5 }, drawing('title', {}, title)),
    ]
  })
  const longest = Math.max(0, ...known.map(({ maxLatencyMs = 0 }) => maxLatencyMs))
  const label =
    known.length === 0
      ? 'Nothing was delivered in the last hour.'
      : `The longest delivery of the last hour took ${duration(longest)}.`
  return picture(
    label,
    scale,
    [0, most / 2, most].map((value) => [value, duration(value)]),
    marks,
  )
}

/**
 * @param {string} label
 * @param {Scale} scale
 * @param {[value: number, text: string][]} lines
 * @param {SVGElement[]} marks
 */
function picture(label, { width, y }, lines, marks) {
  const grid = lines.flatMap(([value, text]) => [
    drawing('line', { class: 'grid', x1: LEFT, x2: width, y1: y(value), y2: y(value) }),
    drawing('text', { class: 'axis', x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }, text),
  ])
  const times = [
    drawing('text', { class: 'axis', x: LEFT, y: HEIGHT - 4 }, '1 h ago'),
    drawing(
      'text',
      { class: 'axis', x: (LEFT + width) / 2, y: HEIGHT - 4, 'text-anchor': 'middle' },
      '30 min',
    ),
    drawing('text', { class: 'axis', x: width, y: HEIGHT - 4, 'text-anchor': 'end' }, 'now'),
  ]
  const attributes = {
    width,
    height: HEIGHT,
    viewBox: `0 0 ${width} ${HEIGHT}`,
    role: 'img',
    'aria-label': label,
  }
  return drawing('svg', attributes, ...grid, ...times, ...marks)
}

/**
 * @param {string} kind
 * @param {number} x
 * @param {number} top
 * @param {number} bottom
 * @param {number} width
 * @param {string} title
 */
function bar(kind, x, top, bottom, width, title) {
  const height = Math.max(0, bottom - top)
  return drawing('rect', { class: kind, x, y: top, width, height }, drawing('title', {}, title))
}

/** @param {readonly MinuteStatus[]} minutes */
function tableRows(minutes) {
  if (minutes.length === 0) {
    return [element('tr', {}, element('td', { colspan: 5 }, 'No attempt was made in the last hour.'))]
  }
  return minutes
    .toReversed()
    .map(({ at, delivered, failed, meanLatencyMs, maxLatencyMs }) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, clock(at)),
        element('td', {}, formatNumber(delivered)),
        element('td', {}, formatNumber(failed)),
        element('td', {}, meanLatencyMs === undefined ? '–' : duration(meanLatencyMs)),
        element('td', {}, maxLatencyMs === undefined ? '–' : duration(maxLatencyMs)),
      ),
    )
}

/**
 * @param {number} width
 * @param {number} most
 * @returns {Scale}
 */
function scaleOf(width, most) {
  const step = (width - LEFT) / MINUTES
  return {
    width,
    x: (minute) => LEFT + minute * step,
    y: (value) => TOP + (1 - value / most) * (HEIGHT - TOP - BOTTOM),
    bar: Math.max(1, step - Math.min(2, step / 3)),
  }
}

/**
 * @param {string} at
 * @param {number} now in minutes
 */
function placeOf(at, now) {
  return Math.min(MINUTES - 1, Math.max(0, MINUTES - 1 - (now - Date.parse(at) / MINUTE_MS)))
}

/**
 * To a number of which half is as round.
 * @param {number} value
 */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 6, 10].find((factor) => factor * power >= value) ?? 10) * power
}
