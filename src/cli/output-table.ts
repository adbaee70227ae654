import stringWidth from 'string-width'
import { colorsFor, oneLine, print, type Colors } from './output.js'

const GAP = '  '

/** No column becomes narrower than this to fit the terminal. */
const MIN_WIDTH = 8

type Paint = (text: string) => string

/** A column of a table. */
export interface Column<Row> {
  title: string
  /** What it shows of a row; nothing where there is nothing to say. */
  value: (row: Row) => string | undefined
  /** How it shows that. */
  paint?: (row: Row, colors: Colors) => Paint
  /** Whether it is left out where no row has something to say. */
  isOptional?: true
  /** Whether it is shortened first where the terminal is too narrow. */
  isFlexible?: true
  /** Whether it is never shortened, as people copy it into the next command. */
  isWhole?: true
}

/** A cell as it is printed. */
interface Cell {
  text: string
  paint: Paint
}

/** Prints rows under their titles, as wide as the terminal at most, and in full where there is none. */
export function printTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
  startTable(columns)(rows)
}

/** Prints a table in several steps: the titles come with the first rows, and columns only ever become wider. */
export function startTable<Row>(columns: readonly Column<Row>[]): (rows: readonly Row[]) => void {
  const colors = colorsFor(process.stdout)
  let shown: readonly Column<Row>[] | undefined
  let wanted: number[] = []
  return (rows) => {
    const lines: Cell[][] = []
    if (shown === undefined) {
      shown = columns.filter((column) => !column.isOptional || rows.some((row) => column.value(row)))
      lines.push(shown.map(({ title }) => ({ text: title, paint: colors.bold })))
    }
    for (const row of rows) lines.push(shown.map((column) => cellOf(column, row, colors)))
    wanted = shown.map((_, index) =>
      Math.max(wanted[index] ?? 0, ...lines.map((line) => stringWidth(line[index]?.text ?? ''))),
    )
    const widths = fit(wanted, shown)
    for (const line of lines) print(format(line, widths))
  }
}

function cellOf<Row>(column: Column<Row>, row: Row, colors: Colors): Cell {
  return { text: oneLine(column.value(row) ?? ''), paint: column.paint?.(row, colors) ?? String }
}

function format(line: readonly Cell[], widths: readonly number[]): string {
  const cells = line.map(({ text, paint }, index) => {
    const width = widths[index] ?? 0
    const shown = shorten(text, width)
    return paint(shown) + ' '.repeat(width - stringWidth(shown))
  })
  return cells.join(GAP).trimEnd()
}

/** Takes from the widest column until all fit, and spares those that are not flexible as long as it can. */
function fit<Row>(wanted: readonly number[], columns: readonly Column<Row>[]): number[] {
  const widths = [...wanted]
  const { columns: available } = process.stdout
  if (!available) return widths
  const narrowable = [...widths.keys()].filter((index) => !columns[index]?.isWhole)
  const flexible = narrowable.filter((index) => columns[index]?.isFlexible)
  const widestOf = (indexes: readonly number[]): number | undefined =>
    indexes
      .filter((index) => widths[index]! > MIN_WIDTH)
      .toSorted((one, other) => widths[other]! - widths[one]!)[0]
  let excess = GAP.length * (widths.length - 1) - available
  for (const width of widths) excess += width
  for (; excess > 0; excess -= 1) {
    const widest = widestOf(flexible) ?? widestOf(narrowable)
    if (widest === undefined) break
    widths[widest]! -= 1
  }
  return widths
}

function shorten(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let shortened = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(shortened + segment) > width - 1) break
    shortened += segment
  }
  return `${shortened}…`
}
