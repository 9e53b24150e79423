import { asError, type Fault, SetupError } from '../core/errors.ts'
import type { Api, Operation } from './api.ts'
import { FunctionFinder } from './function-finder.ts'
import { HandlerModules } from './handler-modules.ts'
import { locateFaults, type PlacedFault } from './locate.ts'

/** Finds the function of every operation, and the decorators around it. */

/** What an operation runs: a function of (body, named parameters), or of (named parameters) where the operation has no body. */
export type Handler = (...args: readonly unknown[]) => unknown

/** Wraps a handler; called once, at start. What it gives takes the handler's arguments and gives its result. */
export type Decorator = (handler: Handler) => Handler

export interface Binding {
  /** The bound function inside its decorators. */
  readonly handler: Handler
}

/** The functions of the operations that are served. */
export type Bindings = ReadonlyMap<Operation, Binding>

/**
 * Imports the modules that operations are bound to, each once, and finds their functions.
 *
 * A dotted name, `shop.accounts.do_signup_user`, is the function `do_signup_user` or `doSignupUser` that `<root>/shop/accounts.ts` exports
 * (or .mts, .js, .mjs). A name without dots, as operationIds often are, is exported by `<root>/handlers.ts` or by one module below
 * `<root>/handlers/`. Names in `x-decorate-server` are found the same way; the first one is outermost.
 *
 * `provided` are functions by dotted name that stand in for modules the service doesn't have.
 *
 * @throws SetupError `BINDING_MISSING` with every function and module that is missing or can't be imported, and every decorator that gives no function.
 */
export async function bindHandlers(
  apis: readonly Api[],
  root: string,
  provided: ReadonlyMap<string, Handler> = new Map(),
): Promise<Bindings> {
  const modules = new HandlerModules(root)
  const finder = new FunctionFinder(modules, provided)
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
    // What a handler takes is for its author to know.
    return decorated(operation, handler as Handler, decorators)
  }
  return { faults: wanted.flatMap(({ pointer }, index) => faultAt(pointer, found[index])) }
}

/** A name whose module can't be imported has its fault there already. */
function faultAt(pointer: string, found: unknown): readonly PlacedFault[] {
  return typeof found === 'string' ? [{ pointer, message: found }] : []
}

/** The handler inside its decorators, the first one outermost. */
function decorated(
  { decorators: names, place }: Operation,
  handler: Handler,
  decorators: readonly unknown[],
): Binding | NotFound {
  const pointer = `${place.pointer}/x-decorate-server`
  let inner = handler
  for (const [index, decorate] of [...decorators.entries()].toReversed()) {
    try {
      // Functions all, as found; what each gives is looked at next.
      const outer: unknown = (decorate as Decorator)(inner)
      if (typeof outer !== 'function') {
        return { faults: [{ pointer, message: givesNone(names[index], outer) }] }
      }
      // A function, as was just seen.
      inner = outer as Handler
    } catch (error) {
      const message = `The decorator "${names[index]}" has thrown: ${asError(error).message}`
      return { faults: [{ pointer, message }] }
    }
  }
  return { handler: inner }
}

function givesNone(name: string | undefined, given: unknown): string {
  const what =
    given instanceof Promise ? 'a promise' : given === null ? 'null' : `a value of type ${typeof given}`
  return `The decorator "${name}" must give a function (it is called with the handler, once, at start), but gave ${what}`
}
