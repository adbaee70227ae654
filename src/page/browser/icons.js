import { drawing } from './dom.js'

/** Shapes on a grid of 16, so that no meaning is in a colour alone. */
const SHAPES = {
  check: 'M3 8.5l3.2 3.2L13 5',
  retry: 'M12.8 6.2A5.2 5.2 0 1 0 13 9.5M13 3v3.4H9.6',
  alert: 'M8 3.5v5.6M8 12.2v.1',
  pause: 'M5.8 4v8M10.2 4v8',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  wait: 'M8 4.6V8l2.4 1.6M8 2.4a5.6 5.6 0 1 0 0 11.2A5.6 5.6 0 1 0 8 2.4',
}

/** @typedef {keyof typeof SHAPES} IconName */

/** @param {IconName} name */
function icon(name) {
  return drawing(
    'svg',
    { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true', focusable: 'false' },
    drawing('path', { d: SHAPES[name] }),
  )
}

/**
 * A state as a word with its shape.
 * @param {IconName} name
 * @param {string} tone one of good, warn, bad and calm
 * @param {string} text
 */
export function badge(name, tone, text) {
  const node = document.createElement('span')
  node.className = `badge ${tone}`
  node.append(icon(name), text)
  return node
}
