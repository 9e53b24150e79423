import type { HttpOptions } from '../../src/http/options.ts'
import { checksOf } from '../../src/spec/checks.ts'
import { loadApi } from '../../src/spec/load.ts'
import { models } from '../../src/spec/model-registry.ts'
import { benchSpec } from '../harness/places.ts'

/** What an HTTP server without the rest of a service is made with: `/plain` of the spec that the benches use. */
export async function plainHttp(port: number): Promise<HttpOptions> {
  const api = await loadApi(benchSpec, { basePath: 'apply' })
  models.addApis([api])
  const plain = api.operations.filter(({ path }) => path === '/plain')
  // The body was checked against the spec before.
  const handler = async (body: unknown) => ({ ok: true, id: (body as { name: string }).name })
  return {
    apis: [api],
    bindings: new Map(plain.map((operation) => [operation, { handler }])),
    checksOf: (of, operation) => checksOf(of, operation, models),
    tokens: undefined,
    release: async () => {},
    drop: () => {},
    name: 'http-alone',
    version: '1',
    env: 'bench',
    production: true,
    port,
    host: '127.0.0.1',
  }
}
