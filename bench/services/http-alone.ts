import { openHttp } from '../../src/http/server.ts'
import { checksOf } from '../../src/spec/checks.ts'
import { loadApi } from '../../src/spec/load.ts'
import { models } from '../../src/spec/model-registry.ts'
import { benchSpec } from '../harness/places.ts'
import { sayReady } from '../harness/ready.ts'

/** The HTTP server without the rest of a service: `/plain` of the spec that the benches use. `node http-alone.ts PORT`. */
const api = await loadApi(benchSpec, { basePath: 'apply' })
models.addApis([api])

const plain = api.operations.filter(({ path }) => path === '/plain')
// The body was checked against the spec before.
const handler = (body: unknown) => ({ ok: true, id: (body as { name: string }).name })

await openHttp({
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
  port: Number(process.argv[2]),
  host: '127.0.0.1',
})
sayReady()
