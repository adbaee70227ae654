/**
 * @template Item
 * @typedef {object} Row
 * @property {HTMLElement} node
 * @property {(item: Item) => void} update
 */

/**
 * Shows a list whose rows stay the same elements while their items change, so that what is open stays open and the
 * keyboard's focus stays where it is.
 * @template Item
 * @param {HTMLElement} container
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => Row<Item>} create makes a row, which is updated then
 * @returns {(items: readonly Item[]) => void}
 */
export function keyedList(container, keyOf, create) {
  /** @type {Map<string, Row<Item>>} */
  let rows = new Map()
  return (items) => {
    const focused = document.activeElement
    const shown = items.map((item) => {
      const key = keyOf(item)
      const row = rows.get(key) ?? create(item)
      row.update(item)
      return /** @type {const} */ ([key, row])
    })
    const next = new Map(shown)
    for (const [key, { node }] of rows) if (!next.has(key)) node.remove()
    rows = next
    let place = container.firstElementChild
    for (const { node } of next.values()) {
      if (node === place) place = place.nextElementSibling
      else container.insertBefore(node, place)
    }
    // A row that moves loses it.
    if (focused instanceof HTMLElement && focused !== document.activeElement && container.contains(focused)) {
      focused.focus({ preventScroll: true })
    }
  }
}
