import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

test('a promise that a handler has left behind is told when it fails, and ends nothing', () => {
  const program = `
    import { surviveStrayErrors } from '${join(root, 'src/entry/stray-errors.ts')}'
    import { on } from '${join(root, 'src/core/events.ts')}'
    surviveStrayErrors()
    on('notice', ({ message }) => {
      console.log(message)
      setImmediate(() => console.log('alive'))
    })
    void Promise.reject(Object.assign(new Error('left behind'), { code: 'SCOPE_DROPPED' }))`
  const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  assert.match(run.stdout, /A promise nobody waited for has failed: SCOPE_DROPPED: left behind\nalive/)
})
