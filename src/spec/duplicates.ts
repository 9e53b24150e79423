import type { Api, Operation } from './api.ts'
import type { PlacedFault } from './locate.ts'

/** Operations that can't live side by side: the same route twice, or the same operationId twice in one API. */

/** A fault with the operation it is about. */
export interface OperationFault extends PlacedFault {
  readonly file: string
}

/**
 * Routes that are served twice, in one API or in two. Templates that differ in the names of their parameters only are the same
 * route.
 */
export function duplicateRoutes(apis: readonly Api[]): readonly OperationFault[] {
  const operations = apis.flatMap((api) => api.operations).filter(({ served }) => served)
  return repeated(
    operations,
    (operation) => `${operation.method} ${operation.path.replace(/\{[^{}]*\}/g, '{}')}`,
  ).map(([first, second]) =>
    faultAt(second, `${nameOf(second)} is already served by ${describe(first, second)}`),
  )
}

/** Operations of one API with the same `operationId`. */
export function duplicateIds(api: Api): readonly OperationFault[] {
  const named = api.operations.filter(({ operationId }) => operationId !== undefined)
  return repeated(named, ({ operationId }) => String(operationId)).map(([first, second]) =>
    faultAt(second, `The operationId "${second.operationId}" is already that of ${describe(first, second)}`),
  )
}

function repeated(
  operations: readonly Operation[],
  keyOf: (operation: Operation) => string,
): (readonly [Operation, Operation])[] {
  const known = new Map<string, Operation>()
  return operations.flatMap((operation) => {
    const first = known.get(keyOf(operation))
    if (first !== undefined) return [[first, operation] as const]
    known.set(keyOf(operation), operation)
    return []
  })
}

function faultAt(operation: Operation, message: string): OperationFault {
  return { file: operation.place.file, pointer: operation.place.pointer, message }
}

function describe(operation: Operation, other: Operation): string {
  const file = operation.place.file === other.place.file ? 'this file' : operation.place.file
  return `${nameOf(operation)} of ${file}`
}

function nameOf({ method, path }: Operation): string {
  return `${method.toUpperCase()} ${path}`
}
