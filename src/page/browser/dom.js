/**
 * Makes elements. Whatever is shown is set as text: the ids of events and the answers of endpoints are written by
 * others.
 */

/** @typedef {string | number | boolean | undefined | ((event: Event) => void)} Attribute */
/** @typedef {Node | string | undefined} Child */

const SVG = 'http://www.w3.org/2000/svg'

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, Attribute>} [attributes] functions listen to the event of that name
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, ...children) {
  return build(document.createElement(name), attributes, children)
}

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, Attribute>} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function drawing(name, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, name), attributes, children)
}

/**
 * The element of the document that has this id.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function byId(id, kind) {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new TypeError(`the page has no ${kind.name} #${id}`)
}

/**
 * Shows a text, unless it is there already.
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value)
}

/**
 * A text for those who hear the page.
 * @param {string} text
 */
export function unseen(text) {
  return element('span', { class: 'unseen' }, text)
}

/**
 * @template {Element} Kind
 * @param {Kind} node
 * @param {Record<string, Attribute>} attributes
 * @param {Child[]} children
 * @returns {Kind}
 */
function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value)
    else if (value === true) node.setAttribute(name, '')
    else if (value !== undefined && value !== false) node.setAttribute(name, String(value))
  }
  node.append(...children.filter((child) => child !== undefined))
  return node
}
