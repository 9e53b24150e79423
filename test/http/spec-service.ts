import type { TestContext } from 'node:test'
import type { HttpOptions } from '../../src/http/options.ts'
import { type HttpServer, openHttp } from '../../src/http/server.ts'
import type { Api } from '../../src/spec/api.ts'
import type { Handler } from '../../src/spec/bindings.ts'
import { checksOf } from '../../src/spec/checks.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { httpOptions } from './service.ts'

/** Serves an API as its spec says, over a real socket and by `inject`; handlers by binding or operationId, `usual` for all others. */
export async function serveApi(
  test: TestContext,
  api: Api,
  handlers: Readonly<Record<string, Handler>> & { readonly usual?: Handler },
  options: Partial<HttpOptions> = {},
): Promise<HttpServer> {
  const registry = new ModelRegistry()
  registry.addApis([api])
  const missing: Handler = () => {
    throw new TypeError('The test has no handler for this operation')
  }
  const bindings = new Map(
    api.operations.map((operation) => {
      const handler = handlers[operation.binding ?? ''] ?? handlers.usual ?? missing
      return [operation, { handler }]
    }),
  )
  const server = await openHttp({
    ...httpOptions({}, options),
    apis: [api],
    bindings,
    checksOf: (of, operation) => checksOf(of, operation, registry),
    ...options,
  })
  test.after(() => server.stop())
  return server
}
