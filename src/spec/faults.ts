import type { ErrorObject } from 'ajv'
import { isSecretName } from '../core/secrets.ts'
import type { ValueFault } from './api.ts'
import type { Checkable } from './checkable.ts'
import { segmentsOf } from './pointers.ts'
import { shown, wordingOf } from './wording.ts'

/** A validator's errors as faults that a caller can act on: a path as one would write it, the rule, and what was expected. */

/** How many faults of one value are told. */
const maxFaults = 50

/** How far into unions within unions faults are looked for: each level tries every branch. */
const maxUnionDepth = 2

export interface Explaining {
  /** What the value is, such as `body`; empty where its properties say that themselves. */
  readonly root: string
  readonly value: unknown
  /** How many unions the value is within. */
  readonly depth: number
  /** The errors of a value against a branch of `anyOf` or `oneOf`. */
  errorsOf(branch: Checkable, value: unknown): readonly ErrorObject[]
  /** What a branch is called, where it has a name. */
  nameOf(branch: Checkable): string | undefined
}

/** The faults that errors tell of, at most 50. */
export function faultsOf(errors: readonly ErrorObject[], explaining: Explaining): readonly ValueFault[] {
  const faults = errors
    // What is wrong is told by the errors of `then` or `else`, and of the name itself.
    .filter(({ keyword }) => keyword !== 'if' && keyword !== 'propertyNames')
    .slice(0, maxFaults)
    .flatMap((error) => toFaults(error, explaining))
  const unique = new Map(faults.map((fault) => [`${fault.path} ${fault.message}`, fault]))
  return [...unique.values()].slice(0, maxFaults)
}

function toFaults(error: ErrorObject, explaining: Explaining): readonly ValueFault[] {
  if (error.keyword === 'anyOf' || error.keyword === 'oneOf') return unionFaults(error, explaining)
  const segments = [...segmentsOf(error.instancePath), ...childOf(error)]
  const hidden = [explaining.root, ...segments].some(isSecretName) || error.parentSchema?.hidden === true
  const path = pathOf(segments, explaining)
  if (error.propertyName === undefined) return [{ path, message: wordingOf(error, hidden) }]
  const name = hidden ? 'a property' : `the property ${shown(error.propertyName)}`
  return [{ path, message: `has ${name}, whose name ${wordingOf(error, true)}` }]
}

/** The property that an error is about, where it is told of its owner. */
function childOf({ keyword, params }: ErrorObject): readonly string[] {
  if (keyword === 'required' || keyword === 'dependentRequired') return [params.missingProperty]
  if (keyword === 'absentInReply') return [params.property]
  if (keyword === 'unevaluatedProperties') return [params.unevaluatedProperty]
  return keyword === 'additionalProperties' ? [params.additionalProperty] : []
}

/** What is wrong with a value that fits no branch, or several where one is allowed: as told by the branch it fits best. */
function unionFaults(error: ErrorObject, explaining: Explaining): readonly ValueFault[] {
  const path = pathOf(segmentsOf(error.instancePath), explaining)
  const branches = branchesOf(error)
  const nameOf = (branch: Checkable | undefined, index: number) =>
    (branch === undefined ? undefined : explaining.nameOf(branch)) ?? `form ${index + 1}`
  const fitting: readonly number[] = error.params.passingSchemas ?? []
  if (fitting.length > 1) {
    const names = fitting.map((index) => nameOf(branches[index], index))
    return [{ path, message: `fits ${names.join(' and ')} at once, where exactly one is allowed` }]
  }
  const [best, index] = nearestBranch(branches, error.data, { ...explaining, root: path })
  if (branches.length === 1) return best
  const reasons = best
    .slice(0, 3)
    .map((fault) => `${fault.path === path ? 'it' : fault.path} ${fault.message}`)
  const as = reasons.length === 0 ? '' : `. As ${nameOf(branches[index], index)}: ${reasons.join('; ')}`
  return [{ path, message: `fits none of ${branches.map(nameOf).join(', ')}${as}` }]
}

/** The branches that can be meant: `null`, offered beside others, is no form of a value that isn't null. */
function branchesOf(error: ErrorObject): readonly Checkable[] {
  // With `verbose`, an error has its keyword's value: for anyOf and oneOf the list of branches.
  const all = error.schema as readonly Checkable[]
  const meant = all.filter((branch) => typeof branch === 'boolean' || branch.type !== 'null')
  return error.keyword === 'anyOf' && meant.length > 0 ? meant : all
}

/** The faults against the branch that a value is nearest to, and that branch's index. */
function nearestBranch(
  branches: readonly Checkable[],
  value: unknown,
  explaining: Explaining,
): readonly [readonly ValueFault[], number] {
  const inner = { ...explaining, value, depth: explaining.depth + 1 }
  if (inner.depth > maxUnionDepth) return [[], 0]
  const told = branches.map((branch) => faultsOf(inner.errorsOf(branch, value), inner))
  const distances = told.map((faults) => distance(faults, inner.root))
  const index = distances.indexOf(Math.min(...distances))
  return [told[index] ?? [], Math.max(index, 0)]
}

/** A value of another kind altogether is further off than one with a few faults inside. */
function distance(faults: readonly ValueFault[], path: string): number {
  return faults.reduce((sum, fault) => sum + (fault.path === path ? maxFaults : 1), 0)
}

/** A path as one would write it: `body.items[3].price`. */
function pathOf(segments: readonly string[], { root, value }: Explaining): string {
  let at: unknown = value
  let path = root
  for (const segment of segments) {
    path += Array.isArray(at) ? `[${segment}]` : property(segment, path)
    at = typeof at === 'object' && at !== null ? Reflect.get(at, segment) : undefined
  }
  return path
}

function property(name: string, owner: string): string {
  if (owner === '') return name
  return /^[\w$-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}
