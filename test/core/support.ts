import { type Context, contextOf as contextOfNobody } from '../../src/core/context.ts'

/** A context of nobody in particular, with an open scope. */
export function contextOf(parts: Partial<Context> = {}): Context {
  return { ...contextOfNobody('call-1'), ...parts }
}

/** Values that resist being looked at: user code may throw or pass any of them. */
export function nastyValues(): readonly unknown[] {
  const throwing = new Proxy(
    {},
    {
      get: () => refuse('get'),
      has: () => refuse('has'),
      ownKeys: () => refuse('ownKeys'),
      getPrototypeOf: () => refuse('getPrototypeOf'),
    },
  )
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return [
    undefined,
    null,
    Symbol('s'),
    10n,
    () => 1,
    Object.create(null),
    Object.create(throwing),
    throwing,
    proxy,
    {
      get message(): string {
        return refuse('message')
      },
      get code(): string {
        return refuse('code')
      },
    },
    Object.defineProperty(new Error('x'), 'stack', { get: () => refuse('stack') }),
    Object.assign(new Error('x'), { message: { a: 1 }, stack: 5 }),
    'x'.repeat(100_000),
    new Array(100_000).fill('line\nline'),
  ]
}

function refuse(what: string): never {
  throw new Error(`no ${what}`)
}
