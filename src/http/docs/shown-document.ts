import type { Operation } from '../../spec/api.ts'
import { pointerOfRef, valueAt } from '../../spec/pointers.ts'

/**
 * A spec as the service serves it, for the page: paths with the base path they really have, no other hosts to send requests to, and one way to
 * authenticate, which is the service's own (a JWT), on the operations that ask for it.
 */

/** What is to be known of an operation; in the order of the spec. */
export type ServedOperation = Pick<Operation, 'method' | 'path' | 'authenticated'>

type Raw = Readonly<Record<string, unknown>>

/** The name under which the page offers its token field. */
export const tokenScheme = 'JWT'

/** The document to show. One that was changed since the service has read it is shown as far as it still fits. */
export function shownDocument(document: unknown, operations: readonly ServedOperation[]): Raw {
  const { host, basePath, schemes, servers, security, securityDefinitions, ...kept } = rawOf(document)
  const { securitySchemes, ...components } = rawOf(kept.components)
  return {
    ...kept,
    ...(kept.components === undefined ? {} : { components }),
    paths: shownPaths(document, operations),
  }
}

function shownPaths(document: unknown, operations: readonly ServedOperation[]): Raw {
  const waiting = [...operations]
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [template, raw] of Object.entries(rawOf(rawOf(document).paths))) {
    const { servers, ...item } = rawOf(resolved(raw, document))
    const shared = Object.fromEntries(Object.entries(item).filter(([key]) => !methods.has(key)))
    for (const method of Object.keys(item).filter((key) => methods.has(key))) {
      const at = waiting.findIndex((one) => one.method === method && one.path.endsWith(template))
      const [served] = at === -1 ? [] : waiting.splice(at, 1)
      const path = served?.path ?? template
      paths[path] = { ...shared, ...paths[path], [method]: shownOperation(item[method], served) }
    }
  }
  return paths
}

function shownOperation(raw: unknown, served: ServedOperation | undefined): Raw {
  const { servers, security, ...operation } = rawOf(raw)
  return { ...operation, security: served?.authenticated ? [{ [tokenScheme]: [] }] : [] }
}

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'])

function resolved(value: unknown, document: unknown): unknown {
  const ref = rawOf(value).$ref
  const pointer = typeof ref === 'string' ? pointerOfRef(ref) : undefined
  return pointer === undefined ? value : valueAt(document, pointer)
}

function rawOf(value: unknown): Raw {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
