import type { JsonSchema } from './api.ts'
import { asSchema, schemasIn } from './checkable.ts'

/**
 * Schemas that are defined by themselves: A is B, B is all of A and more. A schema may well hold itself, in a property or an item; one that is
 * itself has no meaning, and checking a value against it has no end.
 */

/** For each schema that is part of such a circle, by its reference, the way around it. */
export function circlesIn(schemas: ReadonlyMap<string, JsonSchema>): ReadonlyMap<string, readonly string[]> {
  const circles = new Map<string, readonly string[]>()
  const done = new Set<string>()

  function visit(ref: string, path: readonly string[]): void {
    const start = path.indexOf(ref)
    if (start !== -1) {
      circles.set(ref, [...path.slice(start), ref])
      return
    }
    if (done.has(ref)) return
    for (const next of refsOf(schemas.get(ref) ?? true)) visit(next, [...path, ref])
    done.add(ref)
  }

  for (const ref of schemas.keys()) visit(ref, [])
  return circles
}

/** The references that a value of a schema must fulfil as a whole. */
function refsOf(schema: JsonSchema): readonly string[] {
  if (typeof schema === 'boolean') return []
  const { allOf, anyOf, oneOf, not, if: condition, then, else: otherwise } = schema
  const inner = [
    allOf,
    anyOf,
    oneOf,
    not,
    condition,
    then,
    otherwise,
    Object.values(schemasIn(schema, 'dependentSchemas')),
  ]
    .flat()
    .filter((part) => part !== undefined)
  const own = typeof schema.$ref === 'string' ? [schema.$ref] : []
  return [...own, ...inner.flatMap((part) => refsOf(asSchema(part)))]
}
