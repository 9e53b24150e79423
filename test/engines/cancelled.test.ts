import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskRecord } from '../../src/engines/engine.ts'
import { Cancelled } from '../../src/engines/spool/cancelled.ts'
import { openSqlite } from '../../src/engines/sqlite/engine.ts'
import { makeMessage, store } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'

test('what is cancelled in a spool is cancelled elsewhere once, and forgotten when it is no longer listed', async (t) => {
  const spool = await openSqlite({ folder: ownFolder(t), sync: 'normal', role: 'worker' })
  t.after(() => spool.close())
  const { id } = makeMessage()
  await store(spool, makeMessage({ id }))
  await spool.cancel(id)
  const both = await spool.list({ state: 'cancelled' })
  let listed: readonly TaskRecord[] = both
  let looks = 0
  let cancels = 0
  const cancelled = new Cancelled({
    list: async () => {
      looks += 1
      return listed
    },
    cancel: async () => {
      cancels += 1
      return { done: false, state: undefined }
    },
    isCancelled: async () => true,
    forget: () => spool.remove(id),
  })
  t.after(() => cancelled.close())
  const look = async (records: readonly TaskRecord[]) => {
    listed = records
    // One after the other: the second begins when the first is done.
    for (const wanted of [looks + 1, looks + 2]) {
      cancelled.look()
      await until(() => looks === wanted, { what: 'a look' })
    }
    return cancels
  }
  assert.deepEqual([await look(both), await look(both)], [1, 1])
  assert.deepEqual([await look([]), await look(both)], [1, 2])
})
