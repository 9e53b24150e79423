import type { Fault } from '../source/faults.ts'
import { sourceFiles } from '../source/files.ts'
import { describeFigures, figureFaults, figuresHead, figuresOf } from './figures.ts'
import * as rules from './rules.ts'

/** The mechanical half of the style list: which rules hold where. */
export interface Checked {
  readonly faults: readonly Fault[]
  /** Lengths of files and functions, a line each. */
  readonly table: string
}

const everywhere = [rules.fileName, rules.defaultExport, rules.anyType, rules.nonNull, rules.leftover]
const programs = [...everywhere, rules.fileLength, rules.functionShape, rules.bareAs]

interface Folder {
  readonly name: string
  readonly rules: readonly rules.Rule[]
  /** Medians and percentiles count. */
  readonly bounded: boolean
}

const folders: readonly Folder[] = [
  { name: 'src', rules: [...programs, rules.bareError], bounded: true },
  { name: 'scripts', rules: programs, bounded: true },
  { name: 'bench', rules: programs, bounded: true },
  { name: 'examples', rules: programs, bounded: false },
  { name: 'test', rules: everywhere, bounded: false },
]

/** Holds the code of `root` against the rules. */
export function checkStyle(root: string): Checked {
  const checked = folders.flatMap((folder) => checkFolder(root, folder))
  return {
    faults: checked.flatMap(({ faults }) => faults),
    table: [figuresHead, ...checked.map(({ table }) => table)].join('\n'),
  }
}

function checkFolder(root: string, folder: Folder): Checked[] {
  const files = sourceFiles(root, folder.name)
  if (files.length === 0) return []
  const figures = figuresOf(files)
  const faults = files.flatMap((file) => folder.rules.flatMap((rule) => rule(file)))
  return [
    {
      faults: folder.bounded ? [...faults, ...figureFaults(folder.name, figures)] : faults,
      table: describeFigures(folder.name, figures),
    },
  ]
}
