import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { startChild } from '../../src/supervisor/child.ts'
import { Passing } from '../../src/supervisor/passing.ts'

const entry = new URL('./fixtures/child.ts', import.meta.url).pathname

async function greeter(t: TestContext) {
  const child = startChild({ name: 'child', entry, args: ['greeting'], stopTimeoutMs: 5_000 })
  t.after(() => child.kill())
  await child.ready
  return child
}

/** Makes connections to a port of this process: gives both ends of each. */
async function port(t: TestContext) {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo
  return async (count: number) => {
    const ends: { readonly client: Socket; readonly connection: Socket }[] = []
    while (ends.length < count) {
      const client = connect(port, '127.0.0.1')
      t.after(() => client.destroy())
      const [connection] = await once(server, 'connection')
      ends.push({ client, connection })
    }
    return ends
  }
}

test('a child gets connections, and they end when it ends them', async (t) => {
  const [child, newConnections] = [await greeter(t), await port(t)]
  const ends = await newConnections(20)
  const passed = await Promise.all(ends.map(({ connection }) => child.pass(connection)))
  assert.deepEqual([...new Set(passed)], [true])
  const greetings = await Promise.all(ends.map(({ client }) => text(client)))
  assert.deepEqual([...new Set(greetings)], ['hello'])
})

test('connections that wait when a child dies are served by the next; the one that it may have got is closed', async (t) => {
  const [dying, next, newConnections] = [await greeter(t), await greeter(t), await port(t)]
  process.kill(dying.pid, 'SIGSTOP')
  const ends = await newConnections(3)
  const passed = Promise.all(ends.map(({ connection }) => dying.pass(connection)))
  process.kill(dying.pid, 'SIGKILL')
  assert.deepEqual(await passed, [true, false, false])
  assert.deepEqual(await Promise.all(ends.slice(1).map(({ connection }) => next.pass(connection))), [
    true,
    true,
  ])
  const greetings = await Promise.all(ends.map(({ client }) => text(client)))
  assert.deepEqual(greetings, ['', 'hello', 'hello'])
})

test('a connection whose client has gone holds up none after it', async (t) => {
  const [child, newConnections] = [await greeter(t), await port(t)]
  const [gone, other] = await newConnections(2)
  assert.ok(gone && other)
  gone.connection.destroy()
  const passed = [gone, other].map(({ connection }) => child.pass(connection))
  assert.deepEqual(await Promise.all(passed), [true, true])
  assert.equal(await text(other.client), 'hello')
})

test('a connection that a child can not receive for want of file descriptors is closed, and holds up none after it', async (t) => {
  const [child, newConnections] = [await greeter(t), await port(t)]
  const [lost, other] = await newConnections(2)
  assert.ok(lost && other)
  const limitTo = (files: number) =>
    execFileSync('prlimit', ['--pid', String(child.pid), `--nofile=${files}:1000`])
  limitTo(0)
  assert.equal(await child.pass(lost.connection), true)
  await text(lost.client).catch(() => '')
  limitTo(1_000)
  assert.equal(await child.pass(other.connection), true)
  assert.equal(await text(other.client), 'hello')
})

test('a child that is told to stop gets the connection under way, and none of those that wait', async (t) => {
  const [child, newConnections] = [await greeter(t), await port(t)]
  const ends = await newConnections(3)
  process.kill(child.pid, 'SIGSTOP')
  const passed = ends.map(({ connection }) => child.pass(connection))
  await nextTurn()
  const stopped = child.stop()
  // While the child still can't do anything.
  assert.deepEqual(await Promise.all(passed.slice(1)), [false, false])
  process.kill(child.pid, 'SIGCONT')
  assert.equal(await passed[0], true)
  assert.equal(await text(ends[0]?.client ?? Readable.from([])), 'hello')
  for (const { connection } of ends.slice(1)) assert.equal(connection.destroyed, false)
  await stopped
})

test('a child that could not be started gets none', async (t) => {
  const [end] = await (await port(t))(1)
  assert.ok(end)
  const { execPath } = process
  process.execPath = '/nowhere/node'
  const child = startChild({ name: 'child', entry, stopTimeoutMs: 5_000 })
  process.execPath = execPath
  await assert.rejects(child.ready, /ENOENT/)
  assert.equal(await child.pass(end.connection), false)
  assert.equal(end.connection.destroyed, false)
})

test('a connection that could not be sent is not closed when the child ends', async (t) => {
  const [lost] = await (await port(t))(1)
  assert.ok(lost)
  const send = (...sent: readonly unknown[]) => {
    const told = sent.at(-1)
    if (typeof told === 'function') told(new Error('gone'))
  }
  // Of a process nothing else is used; a channel that breaks at the right moment is hard to have.
  const passing = new Passing({ send } as unknown as ChildProcess)
  assert.equal(await passing.pass(lost.connection), false)
  passing.taken()
  assert.equal(lost.connection.destroyed, false)
})

test('a connection at which sending throws holds up none after it', async (t) => {
  const [first, other] = await (await port(t))(2)
  assert.ok(first && other)
  const send = () => {
    throw new Error('no handle')
  }
  const passing = new Passing({ send } as unknown as ChildProcess)
  const passed = [first, other].map(({ connection }) => passing.pass(connection))
  assert.deepEqual(await Promise.all(passed), [false, false])
  passing.taken()
  for (const { connection } of [first, other]) assert.equal(connection.destroyed, false)
})
