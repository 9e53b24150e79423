import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stopAll } from '../../src/core/lifecycle.ts'

test('parts stop one after another, the last started first', async () => {
  const order: string[] = []
  const part = (name: string) => ({
    stop: async () => {
      order.push(`${name} begins`)
      await Promise.resolve()
      order.push(`${name} has stopped`)
    },
  })
  await stopAll([part('store'), part('server')])
  assert.deepEqual(order, ['server begins', 'server has stopped', 'store begins', 'store has stopped'])
})

test('one that fails, at once or later, does not keep the others running; the first failure is thrown', async () => {
  const stopped: number[] = []
  const parts = [
    { stop: async () => void stopped.push(0) },
    {
      stop: (): Promise<void> => {
        throw new Error('at once')
      },
    },
    { stop: async () => void stopped.push(2) },
    { stop: () => Promise.reject(new Error('later')) },
    { stop: async () => void stopped.push(4) },
  ]
  await assert.rejects(stopAll(parts), { message: 'later' })
  assert.deepEqual(stopped, [4, 2, 0])
})
