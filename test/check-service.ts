import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type CheckReport, checkService, type Finding } from '../src/check.ts'
import { loadConfig } from '../src/config.ts'
import { asError } from '../src/core/errors.ts'
import { startServer } from '../src/roles.ts'
import { ownFolder } from './support/folder.ts'

/** A service with one of everything that is checked, to be broken. */

export type Files = Readonly<Record<string, string>>

/** Tasks are known by name in the whole process, so every service has one of its own. */
let services = 0

export function goodFiles(): Files {
  services++
  return {
    'macaron.yaml': `name: good
port: 8123
jwt_secret: a secret of the tests, 32 bytes or more
env_secrets: []
`,
    'apis/shop.yaml': `swagger: '2.0'
info: { title: Shop, version: '1' }
basePath: /v1
paths:
  /items/{id}:
    get:
      operationId: shop.items.get_item
      parameters:
        - { name: id, in: path, required: true, type: string, pattern: '^[a-z]+$' }
      responses:
        '200': { description: An item, schema: { $ref: '#/definitions/Item' } }
  /items:
    post:
      x-bind-server: shop.items.add_item
      x-decorate-server: [pymacaron.auth.requires_auth, shop.items.loud]
      parameters:
        - { name: item, in: body, required: true, schema: { $ref: '#/definitions/Item' } }
      responses:
        '200': { description: The item, schema: { $ref: '#/definitions/Item' } }
definitions:
  Item:
    type: object
    x-parent: shop.models.ItemParent
    required: [id]
    properties:
      id: { type: string, maxLength: 10 }
      kind: { type: string, enum: [big, small] }
`,
    'apis/more.yaml': `openapi: 3.0.3
info: { title: More, version: '1' }
paths:
  /more:
    get:
      operationId: more
      responses: { '200': { description: ok } }
`,
    'handlers.ts': 'export const more = () => ({})\n',
    'shop/items.ts': `import { Item } from '../apis/shop.gen.ts'
import { mail } from '../tasks/mail.ts'

export const getItem = ({ id }: { id: string }) => new Item({ id })
export const addItem = (item: Item) => {
  void mail.taskName
  return item
}
export const loud = (handler: (...args: unknown[]) => unknown) => (...args: unknown[]) => handler(...args)
`,
    'shop/models.ts': `export class ItemParent {
  label() {
    return 'an item'
  }
}
`,
    'tasks/mail.ts': `import { asyncTask } from 'macaron'

export const mail = asyncTask('mail_${services}', async function mail(to: string) {
  return to
})
`,
    'package.json': '{ "type": "module" }\n',
  }
}

/** Writes a service into a folder of its own. */
export function write(test: TestContext, files: Files): string {
  const folder = ownFolder(test)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(fileURLToPath(new URL('../', import.meta.url)), join(folder, 'node_modules', 'macaron'))
  return folder
}

export function check(folder: string, hints = false): Promise<CheckReport> {
  return checkService({ folder, environment: {}, hints })
}

/** The errors, each as `file:line:column rule message`. */
export function errorsOf({ findings }: CheckReport, folder: string): readonly string[] {
  return findings
    .filter(({ severity }) => severity === 'error')
    .map((finding) => `${placeOf(finding, folder)} ${finding.rule} ${finding.message}`)
}

export function placeOf({ file, line, column }: Finding, folder: string): string {
  return [file?.replace(`${folder}/`, ''), line, column].filter((part) => part !== undefined).join(':')
}

/** Why the service doesn't start; undefined where it does. */
export async function startFault(folder: string): Promise<string | undefined> {
  try {
    const overrides = { port: 0, host: '127.0.0.1', log_level: 'fatal' }
    const role = await startServer(loadConfig({ folder, environment: {}, overrides }))
    await role.stop()
    return undefined
  } catch (error) {
    return asError(error).message
  }
}
