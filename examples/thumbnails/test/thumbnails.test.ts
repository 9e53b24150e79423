import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testService } from 'macaron/testing'
import { shrink } from '../tasks/shrink.ts'

const folder = new URL('..', import.meta.url)
const pixels = (...values: readonly number[]): string => Buffer.from(values).toString('base64')

test('a thumbnail is made after the reply, and can be had then', async () => {
  await using service = await testService(folder)
  const picture = { width: 4, height: 2, pixels: pixels(0, 0, 255, 255, 0, 0, 255, 255) }
  const { id } = (await service.post('/pictures', picture)).expect(200).json
  assert.equal((await service.get(`/thumbnails/${id}`)).json.state, 'queued')

  await service.tasks.drain()

  const thumbnail = { width: 2, height: 1, pixels: pixels(0, 255) }
  assert.deepEqual((await service.get(`/thumbnails/${id}`)).json, { id, state: 'done', thumbnail })
})

test('what is no picture is refused, and no work is made of it', async () => {
  await using service = await testService(folder)
  const reply = await service.post('/pictures', { width: 4, height: 2, pixels: pixels(1, 2, 3) })
  reply.expect(400, 'NOT_A_PICTURE')
  assert.deepEqual(service.tasks.fired(shrink), [])
})
