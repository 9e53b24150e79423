import type { Summary } from './samples.ts'

/** One line of the closing table. */
export interface Row {
  readonly bench: string
  readonly what: string
  readonly unit: string
  readonly figure: Summary
  readonly goal?: Goal
}

/** A goal of the design: a bound for the median. */
export interface Goal {
  readonly text: string
  met(median: number): boolean
}

export function atLeast(bound: number): Goal {
  return { text: `≥ ${bound}`, met: (median) => median >= bound }
}

export function atMost(bound: number): Goal {
  return { text: `≤ ${bound}`, met: (median) => median <= bound }
}

/** All rows as one table: medians, then least and most, then the goal and whether the median reaches it. */
export function table(rows: readonly Row[]): string {
  const cells = [['bench', 'what', 'median', 'min – max', 'unit', 'goal', ''], ...rows.map(cellsOf)]
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? []
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const [head = [], ...body] = cells
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}

/** The same for other programs. */
export function json(rows: readonly Row[]): string {
  const plain = rows.map(({ goal, ...row }) => ({
    ...row,
    ...(goal === undefined ? {} : { goal: goal.text, met: goal.met(row.figure.median) }),
  }))
  return JSON.stringify(plain, undefined, 2)
}

function cellsOf({ bench, what, unit, figure, goal }: Row): readonly string[] {
  const verdict = goal === undefined ? '' : goal.met(figure.median) ? 'reached' : 'MISSED'
  return [
    bench,
    what,
    figureText(figure.median),
    `${figureText(figure.min)} – ${figureText(figure.max)}`,
    unit,
    goal?.text ?? '',
    verdict,
  ]
}

/** Three significant digits, thousands apart. */
function figureText(figure: number): string {
  if (!Number.isFinite(figure)) return '–'
  if (Math.abs(figure) >= 100) return Math.round(figure).toLocaleString('en').replaceAll(',', ' ')
  return String(Number(figure.toPrecision(3)))
}
