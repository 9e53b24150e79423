import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { Api } from './api.ts'
import { classTable, ModelTexts } from './emit-models.ts'
import { EmitNames } from './emit-names.ts'
import { handlerTypes } from './emit-operations.ts'
import { memberName, quoted, TypeTexts } from './emit-types.ts'

/**
 * The text of `apis/<name>.gen.ts`: the models of an API as classes, its other schemas as types, and the types of its handlers. The same
 * spec gives the same text. Node runs it as it is: fields are declared only, and everything but the classes is types.
 */
export function generate(api: Api): string {
  const names = new EmitNames(api)
  const types = new TypeTexts(api, names)
  const models = new ModelTexts(api, names, types).withParents()
  const classes = models.classes()
  const handlers = handlerTypes(api, names, types)
  const declarations = models.declarations()
  const body = [
    ...declarations,
    ...handlers,
    ...modelDefinition(api, classes, models.parents()),
    ...augmentation(api, classes, declarations),
  ]
  const imported = [imports(classes.length > 0, handlers.join('\n')), ...models.imports()]
  return `/* eslint-disable */\n${imported.join('\n')}\n\n${body.join('\n\n')}\n`
}

function imports(hasModels: boolean, handlers: string): string {
  const used = ['RawReply', 'Result', 'UploadedFile'].filter((name) =>
    new RegExp(`\\b${name}\\b`).test(handlers),
  )
  const names = [...(hasModels ? ['defineModels', 'Model'] : []), ...used.map((name) => `type ${name}`)]
  return names.length === 0 ? 'export {}' : `import { ${names.join(', ')} } from 'macaron'`
}

/** Gives `apis.<name>.<Model>` its type, under a key that no other file has: another service may have an API of the name. */
function augmentation(
  api: Api,
  classes: readonly (readonly [string, string])[],
  models: readonly string[],
): string[] {
  if (classes.length === 0) return []
  const hash = shortHash(models.join('\n'))
  const members = classes.map(([schema, name]) => `        ${memberName(schema)}: typeof ${name}`)
  const opening = [
    "declare module 'macaron' {",
    '  interface ApiModelTypes {',
    `    ${quoted(`${api.name} ${hash}`)}: {`,
    `      ${memberName(api.name)}: {`,
  ]
  return [[...opening, ...members, '      }', '    }', '  }', '}'].join('\n')]
}

/** Enough of a text's hash to tell apart what has one name. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** Tells Macaron which class is of which schema, and where the spec is, which is read when the first model is made. */
export function modelDefinition(
  api: Api,
  classes: readonly (readonly [string, string])[],
  parents: readonly string[] = [],
): string[] {
  if (classes.length === 0) return []
  const spec = `new URL(${quoted(`./${encodeURIComponent(basename(api.file))}`)}, import.meta.url)`
  const last = parents.length === 0 ? '' : `, {\n  ${parents.join(',\n  ')},\n}`
  return [`defineModels(${spec}, ${classTable(classes)}${last})`]
}
