import type { Operation } from './api.ts'
import type { Reading } from './dialect.ts'
import { isRaw, type Part } from './document.ts'
import { below } from './pointers.ts'

/** PyMacaron's decorator that asks for a verified token. */
export const authDecorator = 'pymacaron.auth.requires_auth'

/**
 * Whether an operation asks for a token, and whether it is one of ours, a JWT in `Authorization: Bearer`. Whatever a spec names under `security`, a server verifies a
 * token where something is asked for: the safe side. A client must not hand its caller's token to what asks for another thing, such as a key or a password.
 */
export function securityOf(
  { raw }: Part,
  decorators: readonly string[],
  reading: Reading,
): Pick<Operation, 'authenticated' | 'takesToken'> {
  if (decorators.includes(authDecorator)) return { authenticated: true, takesToken: true }
  const { root } = reading.document
  const alternatives: unknown = raw.security ?? root.security
  // An empty alternative leaves it to the caller.
  if (!Array.isArray(alternatives) || alternatives.length === 0 || !alternatives.every(asksForSomething))
    return { authenticated: false, takesToken: false }
  const names = alternatives.flatMap((alternative: object) => Object.keys(alternative))
  return { authenticated: true, takesToken: names.some((name) => isBearer(name, reading)) }
}

function asksForSomething(alternative: unknown): alternative is object {
  return isRaw(alternative) && Object.keys(alternative).length > 0
}

/** Whether a scheme is `http` with `bearer`, or as Swagger 2.0 has to write that: an apiKey in the header Authorization. */
function isBearer(name: string, { document }: Reading): boolean {
  const { root } = document
  const [schemes, pointer] = isRaw(root.components)
    ? [root.components.securitySchemes, '/components/securitySchemes']
    : [root.securityDefinitions, '/securityDefinitions']
  if (!isRaw(schemes) || !Object.hasOwn(schemes, name)) return false
  const scheme = document.part(schemes[name], below(pointer, name), 'A security scheme')?.raw ?? {}
  if (scheme.type === 'http') return String(scheme.scheme).toLowerCase() === 'bearer'
  return (
    pointer === '/securityDefinitions' &&
    scheme.type === 'apiKey' &&
    scheme.in === 'header' &&
    String(scheme.name).toLowerCase() === 'authorization'
  )
}
