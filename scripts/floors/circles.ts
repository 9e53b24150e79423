import type { Fault } from '../source/faults.ts'
import type { SourceFile } from '../source/files.ts'
import { type Import, importsOf, targetOf } from '../source/imports.ts'

/** Files that import each other's values in a circle; each circle is told once, at the file that closes it. */
export function circleFaults(files: readonly SourceFile[]): readonly Fault[] {
  const edges = new Map(files.map((file) => [file.path, valueImports(file)]))
  const done = new Set<string>()
  const faults: Fault[] = []
  for (const path of edges.keys()) walk([path], { edges, done, faults })
  return faults
}

interface Walk {
  readonly edges: ReadonlyMap<string, readonly Edge[]>
  readonly done: Set<string>
  readonly faults: Fault[]
}

interface Edge {
  readonly to: string
  readonly line: number
}

function walk(trail: readonly string[], walked: Walk): void {
  const here = trail.at(-1) ?? ''
  if (walked.done.has(here)) return
  for (const { to, line } of walked.edges.get(here) ?? []) {
    const start = trail.indexOf(to)
    if (start < 0) walk([...trail, to], walked)
    else
      walked.faults.push({
        path: here,
        line,
        message: `closes a circle: ${[...trail.slice(start), to].join(' → ')}`,
      })
  }
  walked.done.add(here)
}

function valueImports(file: SourceFile): readonly Edge[] {
  return importsOf(file)
    .filter((found) => !found.typeOnly)
    .flatMap((found) => edgeOf(file, found))
}

function edgeOf(file: SourceFile, found: Import): Edge[] {
  const to = targetOf(file, found)
  return to === undefined ? [] : [{ to, line: found.line }]
}
