import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cli } from '../e2e/support/cli.ts'
import { ownFolder } from '../support/folder.ts'

test('a store that is named by an environment variable which is not set, or empty, is told by that name', async (t) => {
  const folder = ownFolder(t)
  writeFileSync(join(folder, 'macaron.yaml'), 'name: shop\nwith_async: true\n')
  for (const [option, args] of [
    ['--from', ['--from', 'OLD_STORE']],
    ['--to', ['--from', 'sqlite:', '--to', 'OLD_STORE']],
  ] as const)
    for (const OLD_STORE of [undefined, '']) {
      const { code, stderr } = await cli(['tasks', 'move', ...args, '--service', folder], {
        env: { OLD_STORE },
      })
      assert.equal(code, 1)
      assert.match(
        stderr,
        new RegExp(
          `^${option} names the environment variable OLD_STORE, which is not set\\. Set it .*\\n\\[NO_STORE_ADDRESS\\]`,
        ),
      )
    }
})

test('what can’t be a name is taken for an address', async (t) => {
  const folder = ownFolder(t)
  writeFileSync(join(folder, 'macaron.yaml'), 'name: shop\nwith_async: true\n')
  const { stderr } = await cli(['tasks', 'move', '--from', '/old/store', '--service', folder])
  assert.match(stderr, /a URL without a scheme is not supported\. Supported are sqlite:/)
})
