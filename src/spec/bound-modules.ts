import { readFile } from 'node:fs/promises'
import { SetupError } from '../core/errors.ts'
import { HandlerModules } from './handler-modules.ts'
import { SpecNotes } from './notes.ts'
import { parseSpec } from './parse.ts'
import { pointerOfRef, valueAt } from './pointers.ts'
import { authDecorator } from './security.ts'

/**
 * Imports the modules that specs bind operations to, and finds no functions in them: an executor needs the tasks that those modules declare and
 * nothing else of a spec, which is read for names and forgotten; `notes` keep them for the next executor. What is missing is for the server to report.
 * @throws SetupError `SPEC_INVALID` for a file that can't be read at all, `BINDING_MISSING` with the modules that can't be imported.
 */
export async function importBoundModules(
  specFiles: readonly string[],
  root: string,
  notes = new SpecNotes(),
): Promise<void> {
  const modules = new HandlerModules(root)
  const names = new Set<string>()
  for (const file of specFiles) {
    for (const name of await notedBindings(file, notes)) names.add(name)
  }
  for (const module of new Set([...names].flatMap((name) => modulesOf(name, modules)))) {
    const file = modules.find(module)
    if (file !== undefined) await modules.import(file)
  }
  if (modules.faults.length > 0) throw new SetupError('BINDING_MISSING', modules.faults)
}

function notedBindings(file: string, notes: SpecNotes): Promise<readonly string[]> {
  return notes.of('bindings', [file], { find: () => bindingsOf(file), valid: isNames })
}

function isNames(note: unknown): note is readonly string[] {
  return Array.isArray(note) && note.every((name) => typeof name === 'string')
}

/** What the operations of a spec are bound to and decorated with. */
async function bindingsOf(file: string): Promise<readonly string[]> {
  const root = parseSpec(file, await readFile(file, 'utf8'))
  const names = partsOf(valueAt(root, '/paths'))
    .flatMap((item) => partsOf(resolved(item, root)))
    .flatMap((operation) => [
      valueAt(operation, '/x-bind-server') ?? valueAt(operation, '/operationId'),
      valueAt(operation, '/x-decorate-server'),
    ])
    .flat()
    .filter((name) => typeof name === 'string')
    .filter((name) => name !== authDecorator)
  return [...new Set(names)]
}

function resolved(item: unknown, root: unknown): unknown {
  const ref = valueAt(item, '/$ref')
  const pointer = typeof ref === 'string' ? pointerOfRef(ref) : undefined
  return pointer === undefined ? item : valueAt(root, pointer)
}

function partsOf(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : []
}

/** The module of a dotted name; a name without dots may be in any of the handlers' modules. */
function modulesOf(name: string, modules: HandlerModules): readonly string[] {
  const segments = name.split('.').slice(0, -1)
  if (segments.length > 0) return [segments.join('/')]
  return ['handlers', ...modules.namesIn('handlers', { deep: true })]
}
