import type { Fault } from '../source/faults.ts'
import type { SourceFile } from '../source/files.ts'
import { type Import, importsOf, targetOf } from '../source/imports.ts'

/** The floors of ARCHITECTURE.md: imports go down only, and never sideways between the folders of one floor. */
const floorOfFolder: Readonly<Record<string, number>> = {
  core: 0,
  auth: 1,
  spec: 1,
  tasks: 1,
  supervisor: 1,
  watch: 1,
  engines: 2,
  clients: 2,
  http: 3,
  worker: 3,
  dashboard: 3,
  // `service.ts`, `index.ts` and the other files beside the folders put the parts together.
  '': 4,
  config: 4,
  dev: 4,
  entry: 5,
  cli: 5,
  testing: 5,
}

/** The engine contract, whose types every floor but the lowest may name. */
const contract = 'src/engines/engine.ts'

/** Imports upward, sideways, between the variants of `engines/`, into `testing/`, and from folders that have no floor. */
export function floorFaults(files: readonly SourceFile[]): readonly Fault[] {
  return files.flatMap((file) => importsOf(file).flatMap((found) => floorFault(file, found)))
}

function floorFault(file: SourceFile, found: Import): Fault[] {
  const target = targetOf(file, found)
  if (target === undefined) return []
  const message = targetFault(file.path, target, found)
  return message === undefined ? [] : [{ path: file.path, line: found.line, message }]
}

function targetFault(from: string, to: string, found: Import): string | undefined {
  if (!to.startsWith('src/')) return `imports ${to}, which is outside src`
  const [fromFolder, toFolder] = [folderOf(from), folderOf(to)]
  if (toFolder === 'testing' && fromFolder !== 'testing')
    return `imports ${to}, and nothing in src may import testing`
  if (fromFolder === toFolder) return variantFault(from, to)
  const [fromFloor, toFloor] = [floorOfFolder[fromFolder], floorOfFolder[toFolder]]
  if (fromFloor === undefined) return `is in a folder that has no floor: add ${fromFolder} to the floors`
  if (toFloor === undefined) return `imports ${to}, whose folder has no floor`
  if (toFloor < fromFloor || isContract(to, found, fromFloor)) return undefined
  if (toFloor === fromFloor && fromFloor === 4) return undefined
  const direction = toFloor === fromFloor ? 'sideways' : 'upward'
  return `imports ${direction}: ${fromFolder || 'src'} (floor ${fromFloor}) must not know ${toFolder || 'the files of src'} (floor ${toFloor})`
}

function isContract(to: string, found: Import, fromFloor: number): boolean {
  const typesOnly =
    found.typeOnly || (found.names.length > 0 && found.names.every((name) => name.startsWith('type ')))
  return to === contract && typesOnly && fromFloor >= 1
}

function variantFault(from: string, to: string): string | undefined {
  if (folderOf(from) !== 'engines') return undefined
  const [fromVariant, toVariant] = [variantOf(from), variantOf(to)]
  if (fromVariant === '' || toVariant === '' || fromVariant === toVariant) return undefined
  return `imports sideways: the engine ${fromVariant} must not know the engine ${toVariant}`
}

/** `src/http/router.ts` is in `http`, `src/service.ts` in ``. */
function folderOf(path: string): string {
  const parts = path.split('/')
  return parts.length > 2 ? (parts[1] ?? '') : ''
}

function variantOf(path: string): string {
  const parts = path.split('/')
  return parts.length > 3 ? (parts[2] ?? '') : ''
}
