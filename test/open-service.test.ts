import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { currentUser } from '../src/core/context.ts'
import { reportError } from '../src/core/reporting.ts'
import { openService } from '../src/open-service.ts'
import { serviceWith } from './support/config.ts'

/** What a script has of its service's service.ts. */

const spec = `openapi: 3.0.3\ninfo: { title: T, version: '1' }\npaths: {}\n`

function folderWith(t: TestContext, own: string): string {
  const folder = serviceWith(t, {
    'macaron.yaml': 'name: shop\nwith_async: true\ndefault_user_id: nightly\n',
    'service.mjs': own,
  })
  mkdirSync(join(folder, 'apis'))
  writeFileSync(join(folder, 'apis', 'shop.yaml'), spec)
  return folder
}

test('a script runs the hooks of the service, reports to its reporter, and acts for the default user', async (t) => {
  const seen: string[] = []
  Object.assign(globalThis, { seenByScript: seen })
  t.after(() => Reflect.deleteProperty(globalThis, 'seenByScript'))
  const folder = folderWith(
    t,
    `const seen = globalThis.seenByScript
    export const service = {
      onStart: ({ role }) => seen.push('start ' + role),
      onStop: ({ role }) => seen.push('stop ' + role),
      errorReporter: (title) => seen.push('told ' + title),
    }`,
  )
  const service = await openService({ folder })
  await service.run(() => {
    seen.push(`user ${currentUser()?.sub}`)
    reportError('odd')
  })
  await service.close()
  await service.close()
  assert.deepEqual(seen, ['start script', 'user nightly', 'told odd', 'stop script'])
})

test('an onStart that throws ends the script, and its store is closed', async (t) => {
  const folder = folderWith(t, `export const service = { onStart() { throw new Error('not today') } }`)
  await assert.rejects(openService({ folder }), { code: 'SERVICE_START_FAILED', message: /not today/ })
})
