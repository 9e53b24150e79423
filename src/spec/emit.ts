import { basename } from 'node:path'
import type { Api } from './api.ts'
import { classTable, ModelTexts } from './emit-models.ts'
import { EmitNames } from './emit-names.ts'
import { handlerTypes } from './emit-operations.ts'
import { quoted, TypeTexts } from './emit-types.ts'

/**
 * The text of `apis/<name>.gen.ts`: the models of an API as classes, its other schemas as types, and the types of its handlers. The same
 * spec gives the same text. Node runs it as it is: fields are declared only, and everything but the classes is types.
 */
export function generate(api: Api): string {
  const names = new EmitNames(api)
  const types = new TypeTexts(api, names)
  const models = new ModelTexts(api, names, types)
  const classes = models.classes()
  const handlers = handlerTypes(api.operations, names, types)
  const body = [...models.declarations(), ...handlers, ...modelDefinition(api, classes)].join('\n\n')
  return `/* eslint-disable */\n${imports(classes.length > 0, handlers.length > 0)}\n${body}\n`
}

function imports(hasModels: boolean, hasHandlers: boolean): string {
  const names = [...(hasModels ? ['defineModels', 'Model'] : []), ...(hasHandlers ? ['type Result'] : [])]
  return names.length === 0 ? 'export {}\n' : `import { ${names.join(', ')} } from 'macaron'\n`
}

/** Tells Macaron which class is of which schema, and where the spec is, which is read when the first model is made. */
export function modelDefinition(api: Api, classes: readonly (readonly [string, string])[]): string[] {
  if (classes.length === 0) return []
  const spec = `./${encodeURIComponent(basename(api.file))}`
  return [`defineModels(new URL(${quoted(spec)}, import.meta.url), ${classTable(classes)})`]
}
