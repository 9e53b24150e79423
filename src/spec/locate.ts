import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Node } from 'yaml'
import type { Fault } from '../core/errors.ts'
import { jsonOffset } from './json-offset.ts'
import { isJson } from './parse.ts'
import { segmentsOf } from './pointers.ts'
import { type Position, positionAt } from './position.ts'

/**
 * Finds the line and column of a place in a spec file. Parsing with positions is slow, so nothing here runs before there is a fault to
 * report, and the `yaml` package is loaded then.
 */

/** A fault and its place as a JSON Pointer in some file. */
export interface PlacedFault {
  readonly pointer: string
  readonly message: string
}

/** The faults with file, line and column. `text` is read from the file where it is not given. */
export function locateFaults(file: string, faults: readonly PlacedFault[], text?: string): Fault[] {
  if (faults.length === 0) return []
  const positionOf = positionFinder(file, text ?? readFileSync(file, 'utf8'))
  return faults.map(({ pointer, message }) => ({ message, file, ...positionOf(pointer) }))
}

/** For a pointer the place of its key, or of the nearest parent that is written in the file. */
function positionFinder(file: string, text: string): (pointer: string) => Position {
  const offsetOf = isJson(file) ? (segments: string[]) => jsonOffset(text, segments) : yamlOffsets(text)
  return (pointer) => positionAt(text, offsetOf(segmentsOf(pointer)))
}

function yamlOffsets(text: string): (segments: string[]) => number {
  // The module's own type, for a load that must be synchronous and late.
  const yaml = createRequire(import.meta.url)('yaml') as typeof import('yaml')
  const document = yaml.parseDocument(text, { merge: true, logLevel: 'silent', uniqueKeys: false })

  return (segments) => {
    let node: unknown = document.contents
    let offset = startOf(node) ?? 0
    for (const segment of segments) {
      if (yaml.isAlias(node)) node = node.resolve(document)
      const [key, value] = childOf(node, segment)
      if (value === undefined) break
      offset = startOf(key) ?? startOf(value) ?? offset
      node = value
    }
    return offset
  }

  function childOf(node: unknown, segment: string): readonly [unknown, unknown] {
    if (yaml.isSeq(node)) return [undefined, node.items[Number(segment)]]
    if (!yaml.isMap(node)) return [undefined, undefined]
    const pair = node.items.find(({ key }) => String(yaml.isScalar(key) ? key.value : key) === segment)
    return [pair?.key, pair?.value]
  }
}

function startOf(node: unknown): number | undefined {
  // Every node that was parsed from text has a range; other values have none.
  return (node as Node | null | undefined)?.range?.[0]
}
