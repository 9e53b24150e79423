import { openLogger } from '../core/logger.ts'
import { buildHttp } from '../http/server.ts'
import { checksOf } from '../spec/checks.ts'
import { models } from '../spec/model-registry.ts'
import { readApi } from '../spec/read-api.ts'

/**
 * Starts a service of one operation, without port and store, and calls it: what a server loads and compiles at its first use is there when the real one
 * is started. Four fifths of what is left to do after loading the modules.
 */
export async function rehearse(): Promise<void> {
  const api = readApi('rehearsal.yaml', spec, { basePath: 'apply' })
  openLogger({ level: 'info', format: 'pretty', role: 'rehearsal' })
  const handler = () => ({ text: 'hello' })
  const http = await buildHttp({
    apis: [api],
    bindings: new Map(api.operations.map((operation) => [operation, { handler, decorators: [] }])),
    checksOf: (own, operation) => checksOf(own, operation, models),
    tokens: undefined,
    release: async () => undefined,
    drop: () => undefined,
    name: api.name,
    version: '0',
    env: 'rehearsal',
    production: false,
    port: 0,
  })
  await http.inject({ method: 'POST', url: '/', payload: { text: 'hello' } })
  await http.stop()
}

const spec = `
openapi: 3.0.3
info: { title: Rehearsal, version: '1' }
paths:
  /:
    post:
      operationId: rehearsal.say
      requestBody:
        content: { application/json: { schema: { $ref: '#/components/schemas/Word' } } }
      responses:
        '200':
          description: Said
          content: { application/json: { schema: { $ref: '#/components/schemas/Word' } } }
components:
  schemas:
    Word: { type: object, required: [text], properties: { text: { type: string } } }
`
