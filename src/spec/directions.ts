import type { Api, JsonSchema } from './api.ts'
import { familyDiscriminator } from './discriminators.ts'
import { escapeSegment } from './pointers.ts'
import { nonNullOf, partsOf } from './shape.ts'

/**
 * Which schemas of an API have another form in requests or in replies, by reference: those that hold a readOnly property (which only replies have) or a writeOnly one
 * (which only requests have), themselves or in what they refer to.
 */
export interface Directions {
  readonly inRequests: ReadonlySet<string>
  readonly inReplies: ReadonlySet<string>
}

/** The directions of all named schemas and parts. */
export function directionsOf(api: Api): Directions {
  const targets = [
    ...Object.entries(api.schemas).map(([name, schema]) => ({
      ref: `#/schemas/${escapeSegment(name)}`,
      found: found(schema, familyOf(api, name)),
    })),
    ...Object.entries(api.parts).map(([pointer, schema]) => ({
      ref: `#/parts/${escapeSegment(pointer)}`,
      found: found(schema, []),
    })),
  ]
  const holding = (keywords: readonly Direction[]) => {
    const direct = targets.filter(({ found }) => keywords.some((keyword) => found.keywords.has(keyword)))
    return direct.length === 0 ? new Set<string>() : reaching(targets, direct)
  }
  return { inRequests: holding(['readOnly', 'writeOnly']), inReplies: holding(['writeOnly']) }
}

/** Marks of properties. */
export type Direction = 'readOnly' | 'writeOnly'

/**
 * Whether the schemas of a property say that only replies have it, or only requests: themselves, or in what they refer to. In 2.0 and 3.0 nothing
 * counts beside a reference, so the mark often stands there.
 */
export function isMarked(api: Api, schemas: readonly JsonSchema[], keyword: Direction): boolean {
  const meant = new Set(schemas)
  // A set's loop comes to what is added meanwhile.
  for (const schema of meant) {
    for (const part of partsOf(api, schema)) {
      if (part[keyword] === true) return true
      const nonNull = nonNullOf(part)
      if (nonNull !== undefined) meant.add(nonNull)
    }
  }
  return false
}

interface Target {
  readonly ref: string
  readonly found: Found
}

interface Found {
  readonly refs: Set<string>
  readonly keywords: Set<Direction>
}

function familyOf(api: Api, name: string): readonly string[] {
  return [...(familyDiscriminator(api, name)?.refs.values() ?? [])]
}

function found(schema: JsonSchema, family: readonly string[]): Found {
  const result: Found = { refs: new Set(family), keywords: new Set() }
  search(schema, result)
  return result
}

function search(value: unknown, result: Found): void {
  if (typeof value !== 'object' || value === null) return
  const { $ref, readOnly, writeOnly }: { $ref?: unknown; readOnly?: unknown; writeOnly?: unknown } = value
  if (typeof $ref === 'string') result.refs.add($ref)
  if (readOnly === true) result.keywords.add('readOnly')
  if (writeOnly === true) result.keywords.add('writeOnly')
  for (const part of Object.values(value)) search(part, result)
}

/** `direct` and everything that refers to one of them through any number of references. */
function reaching(targets: readonly Target[], direct: readonly Target[]): ReadonlySet<string> {
  const users = new Map<string, string[]>()
  for (const { ref, found } of targets)
    for (const used of found.refs) users.set(used, [...(users.get(used) ?? []), ref])
  const reached = new Set(direct.map(({ ref }) => ref))
  // A set's loop comes to what is added meanwhile.
  for (const ref of reached) for (const user of users.get(ref) ?? []) reached.add(user)
  return reached
}
