import type { Fault } from '../source/faults.ts'
import type { SourceFile } from '../source/files.ts'
import { functionsOf } from './functions.ts'
import { linesOf } from './rules.ts'

/** How long files and functions are over a whole folder, and whether that is within bounds. */
export interface Figures {
  readonly files: Lengths
  readonly functions: Lengths
}

export interface Lengths {
  readonly count: number
  readonly median: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Bounds over a folder; single lengths have rules of their own. */
const bounds = [
  { what: 'files', measure: 'median', most: 80 },
  { what: 'files', measure: 'p90', most: 200 },
  { what: 'functions', measure: 'median', most: 10 },
  { what: 'functions', measure: 'p90', most: 25 },
  { what: 'functions', measure: 'p99', most: 50 },
] as const

export function figuresOf(files: readonly SourceFile[]): Figures {
  return {
    files: lengths(files.map(linesOf)),
    functions: lengths(files.flatMap((file) => functionsOf(file).flatMap(({ lines }) => lines ?? []))),
  }
}

/** A fault for each bound that the figures of `folder` are over. */
export function figureFaults(folder: string, figures: Figures): readonly Fault[] {
  return bounds
    .filter(({ what, measure, most }) => figures[what][measure] > most)
    .map(({ what, measure, most }) => ({
      path: folder,
      line: 1,
      message: `the ${measure} of its ${what} is ${figures[what][measure]} lines, more than ${most}`,
    }))
}

/** The figures as lines of a table. */
export function describeFigures(folder: string, figures: Figures): string {
  return (['files', 'functions'] as const)
    .map((what) => {
      const { count, median, p90, p99, max } = figures[what]
      return `${folder.padEnd(9)} ${what.padEnd(10)} ${[count, median, p90, p99, max].map((n) => String(n).padStart(6)).join(' ')}`
    })
    .join('\n')
}

export const figuresHead = `${''.padEnd(20)} ${['count', 'median', 'p90', 'p99', 'max'].map((n) => n.padStart(6)).join(' ')}`

function lengths(values: readonly number[]): Lengths {
  const sorted = values.toSorted((one, other) => one - other)
  // The smallest value that at least this share of all does not exceed.
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  return { count: sorted.length, median: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}
