import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fastify } from 'fastify'
import { type Receiving, receive } from '../../src/http/body.ts'
import { until } from '../support/until.ts'

test('a body that has failed while its last piece was being taken is not ended after it', {
  timeout: 20_000,
}, async (t) => {
  const failure = new Error('as the test asked')
  const pieces: PromiseWithResolvers<void>[] = []
  let ended = 0
  const app = fastify()
  t.after(() => app.close())
  app.addHook('onRequest', async (received, reply) => {
    const take = () => {
      const piece = Promise.withResolvers<void>()
      pieces.push(piece)
      return piece.promise
    }
    const exchange: Receiving = { request: received, broken: undefined, interrupt: undefined }
    const arrived = receive(exchange, { limit: 100, take, end: () => void ended++ })
    // The rest has come while the first piece was being taken: so the body ends although its last piece is held.
    await until(() => received.raw.complete, { what: 'all of it to come' })
    const end = once(received.raw, 'end')
    pieces[0]?.resolve()
    await end
    exchange.interrupt?.(failure)
    await assert.rejects(arrived, failure)
    pieces[1]?.resolve()
    await nextTurn()
    return reply.send({ pieces: pieces.length, ended })
  })
  const call = request(await app.listen({ host: '127.0.0.1', port: 0 }), { method: 'POST' })
  const answer = once(call, 'response')
  call.write('first')
  await until(() => pieces.length === 1, { what: 'the first piece to be taken' })
  call.end('last')
  assert.deepEqual(await json((await answer)[0]), { pieces: 2, ended: 0 })
})
