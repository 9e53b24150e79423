import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Tokens } from '../../src/auth/tokens.ts'
import { loadConfig } from '../../src/config.ts'
import { startServer } from '../../src/roles.ts'

/** A whole service with docs, of two APIs, in this process. */

export const secret = 'a secret of the tests, 32 bytes or more'

/** Swagger 2.0 as PyMacaron has it: another host, a base path, tokens asked for by a decorator. */
export const oldSpec = `# The old shop
swagger: '2.0'
info: { title: Old <shop>, version: '2', description: 'With ![a picture](https://pictures.example/a.png) from elsewhere' }
host: api.elsewhere.example
schemes: [https]
basePath: /v1
paths:
  /whoami:
    get:
      summary: Who calls
      x-bind-server: handlers.whoami
      x-decorate-server: pymacaron.auth.requires_auth
      responses: { '200': { description: The caller, schema: { $ref: '#/definitions/Caller' } } }
  /open:
    get:
      summary: Open to all
      x-bind-server: handlers.open
      responses: { '200': { description: ok, schema: { type: object } } }
definitions:
  Caller: { type: object, required: [sub], properties: { sub: { type: string } } }
`

/** OpenAPI 3.0 as JSON, with a server of its own and a scheme that is not ours. */
export const newSpec = JSON.stringify(
  {
    openapi: '3.0.3',
    info: { title: 'New shop', version: '3' },
    servers: [{ url: 'https://new.elsewhere.example/api' }],
    paths: {
      '/orders/{id}': {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        servers: [{ url: 'https://third.elsewhere.example/orders-api' }],
        put: {
          operationId: 'handlers.putOrder',
          security: [{ login: [] }],
          requestBody: {
            required: true,
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } },
          },
          responses: {
            200: {
              description: 'The order',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } },
            },
          },
        },
      },
    },
    components: {
      schemas: { Order: { type: 'object', required: ['item'], properties: { item: { type: 'string' } } } },
      securitySchemes: {
        login: {
          type: 'oauth2',
          flows: { implicit: { authorizationUrl: 'https://login.elsewhere.example/', scopes: {} } },
        },
      },
    },
  },
  undefined,
  2,
)

const handlers = `import { currentUser } from 'macaron'

export const whoami = () => ({ sub: currentUser()?.sub })
export const open = () => ({})
export const putOrder = (order: object) => order
`

/** Starts it; its address. */
export async function startDocs(
  test: { after(run: () => Promise<void> | void): void },
  settings: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'macaron-docs-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  const values = { name: 'two shops', jwt_secret: secret, log_level: 'fatal', ...settings }
  const files = {
    'macaron.yaml': JSON.stringify(values),
    'package.json': '{ "type": "module" }',
    'apis/old.yaml': oldSpec,
    'apis/new shop.json': newSpec,
    'handlers.ts': handlers,
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(fileURLToPath(new URL('../../', import.meta.url)), join(folder, 'node_modules', 'macaron'))
  const role = await startServer(
    loadConfig({ folder, environment: {}, overrides: { port: 0, host: '127.0.0.1' } }),
  )
  test.after(() => role.stop())
  const { announce } = role
  const port = announce !== undefined && 'port' in announce ? Number(announce.port) : 0
  return `http://127.0.0.1:${port}`
}

export function tokenOf(user: string): Promise<string> {
  return new Tokens({ secret }).sign({ userId: user })
}
