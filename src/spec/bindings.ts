import { type Fault, SetupError } from '../core/errors.ts'
import type { Api, Operation } from './api.ts'
import { FunctionFinder } from './function-finder.ts'
import { HandlerModules } from './handler-modules.ts'
import { locateFaults, type PlacedFault } from './locate.ts'

/** Finds the function of every operation, and the decorators around it. */

/** What an operation runs: a function of (body, named parameters), or of (named parameters) where the operation has no body. */
export type Handler = (...args: readonly unknown[]) => unknown

/** Wraps a handler; called once, at start. */
export type Decorator = (handler: Handler) => Handler

export interface Binding {
  readonly handler: Handler
  /** In the order of the spec: the first one is outermost. */
  readonly decorators: readonly Decorator[]
}

/** The functions of the operations that are served. */
export type Bindings = ReadonlyMap<Operation, Binding>

/**
 * Imports the modules that operations are bound to, each once, and finds their functions.
 *
 * A dotted name, `shop.accounts.do_signup_user`, is the function `do_signup_user` or `doSignupUser` that `<root>/shop/accounts.ts` exports
 * (or .mts, .js, .mjs). A name without dots, as operationIds often are, is exported by `<root>/handlers.ts` or by one module below
 * `<root>/handlers/`. Names in `x-decorate-server` are found the same way.
 *
 * @throws SetupError `BINDING_MISSING` with every function and module that is missing or can't be imported.
 */
export async function bindHandlers(apis: readonly Api[], root: string): Promise<Bindings> {
  const modules = new HandlerModules(root)
  const finder = new FunctionFinder(modules)
  const bindings = new Map<Operation, Binding>()
  const faults = new Map<string, PlacedFault[]>()
  for (const operation of apis.flatMap((api) => api.operations).filter(({ served }) => served)) {
    const found = await findBinding(operation, finder)
    if ('handler' in found) bindings.set(operation, found)
    else faults.set(operation.place.file, [...(faults.get(operation.place.file) ?? []), ...found.faults])
  }
  const all: Fault[] = [...faults].flatMap(([file, placed]) => locateFaults(file, placed))
  if (all.length + modules.faults.length > 0)
    throw new SetupError('BINDING_MISSING', [...modules.faults, ...all])
  return bindings
}

type NotFound = { readonly faults: readonly PlacedFault[] }

async function findBinding(operation: Operation, finder: FunctionFinder): Promise<Binding | NotFound> {
  const { binding, place, method, path } = operation
  if (binding === undefined) {
    const message = `${method.toUpperCase()} ${path} names no function: give it x-bind-server or operationId, or x-no-bind-server: true`
    return { faults: [{ pointer: place.pointer, message }] }
  }
  const key = binding === operation.operationId ? 'operationId' : 'x-bind-server'
  const wanted = [
    { name: binding, pointer: `${place.pointer}/${key}` },
    ...operation.decorators.map((name) => ({ name, pointer: `${place.pointer}/x-decorate-server` })),
  ]
  const found = await Promise.all(wanted.map(({ name }) => finder.find(name)))
  const [handler, ...decorators] = found.filter((one) => typeof one === 'function')
  if (handler !== undefined && decorators.length === operation.decorators.length) {
    // What a decorator gives is checked by nobody before it is called.
    return { handler: handler as Handler, decorators: decorators as Decorator[] }
  }
  return { faults: wanted.flatMap(({ pointer }, index) => faultAt(pointer, found[index])) }
}

/** A name whose module can't be imported has its fault there already. */
function faultAt(pointer: string, found: unknown): readonly PlacedFault[] {
  return typeof found === 'string' ? [{ pointer, message: found }] : []
}
