import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Lobby } from '../../src/dev/lobby.ts'
import type { Child } from '../../src/supervisor/child.ts'
import { until } from '../support/until.ts'

const place = { host: '127.0.0.1', port: 0 }

async function openLobby(t: TestContext): Promise<Lobby> {
  const lobby = new Lobby()
  t.after(() => lobby.close())
  await lobby.open(place)
  return lobby
}

/** Answers its name in this process; while it is dead it takes nothing. */
function serverNamed(name: string) {
  const http = createHttpServer((_, reply) => reply.setHeader('connection', 'close').end(name))
  const server = { dead: false, passed: 0 }
  const pass = async (connection: Socket): Promise<boolean> => {
    if (server.dead) return false
    server.passed++
    http.emit('connection', connection)
    connection.resume()
    return true
  }
  // Of a child the lobby uses nothing but this.
  return Object.assign(server, { child: { pass } as unknown as Child })
}

async function ask(lobby: Lobby, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${lobby.port}/`, { headers })
  return `${answer.status} ${await answer.text()}`
}

test('requests wait while nobody serves and go to whoever serves then', async (t) => {
  const lobby = await openLobby(t)
  const [old, next] = [serverNamed('old'), serverNamed('next')]
  const waiting = ask(lobby)
  lobby.admitTo(old.child)
  assert.equal(await waiting, '200 old')
  lobby.hold()
  const held = [ask(lobby), ask(lobby)]
  lobby.admitTo(next.child)
  assert.deepEqual(await Promise.all(held), ['200 next', '200 next'])
  assert.equal(old.passed, 1)
})

test('what a server that has died did not take waits for the next one', async (t) => {
  const lobby = await openLobby(t)
  const [dead, next] = [serverNamed('dead'), serverNamed('next')]
  dead.dead = true
  lobby.admitTo(dead.child)
  const waiting = ask(lobby)
  lobby.hold()
  lobby.admitTo(next.child)
  assert.equal(await waiting, '200 next')
})

test('where no server can be had, requests are told why: as JSON, or as text to a browser', async (t) => {
  const lobby = await openLobby(t)
  const waiting = ask(lobby)
  lobby.refuse('a.ts:3: broken')
  const json = '503 {"status":503,"error":"SERVICE_BROKEN","error_description":"a.ts:3: broken"}'
  assert.equal(await waiting, json)
  assert.equal(
    await ask(lobby, { accept: 'text/html,*/*;q=0.8' }),
    '503 The service does not run:\n\na.ts:3: broken\n',
  )
  lobby.admitTo(serverNamed('mended').child)
  assert.equal(await ask(lobby), '200 mended')
})

test('a large body does not keep a client from reading why', async (t) => {
  const lobby = await openLobby(t)
  lobby.refuse('broken')
  const answer = await fetch(`http://127.0.0.1:${lobby.port}/`, {
    method: 'POST',
    body: 'x'.repeat(3_000_000),
  })
  assert.equal(answer.status, 503)
})

test('a port in use is said, and the earlier one stays open', async (t) => {
  const lobby = await openLobby(t)
  lobby.admitTo(serverNamed('here').child)
  const taken = createServer().listen({ host: '127.0.0.1', port: 0 })
  t.after(() => taken.close())
  await once(taken, 'listening')
  // A server that listens on a port has an address of this form.
  const { port } = taken.address() as AddressInfo
  await assert.rejects(lobby.open({ ...place, port }), { code: 'PORT_IN_USE' })
  assert.equal(await ask(lobby), '200 here')
})

test('another port is opened before the earlier one is closed', async (t) => {
  const lobby = await openLobby(t)
  lobby.admitTo(serverNamed('here').child)
  const earlier = lobby.port
  await lobby.open({ ...place, port: 0 })
  assert.equal(lobby.port, earlier, 'the same wish keeps the port')
  const free = createServer().listen({ host: '127.0.0.1', port: 0 })
  await once(free, 'listening')
  // As above.
  const { port } = free.address() as AddressInfo
  free.close()
  await once(free, 'close')
  await lobby.open({ ...place, port })
  assert.equal(lobby.port, port)
  assert.equal(await ask(lobby), '200 here')
  await assert.rejects(fetch(`http://127.0.0.1:${earlier}/`))
})

test('a close ends those that wait', async (t) => {
  const lobby = await openLobby(t)
  const client = connect(lobby.port, '127.0.0.1')
  client.on('error', () => undefined)
  await once(client, 'connect')
  const ended = once(client, 'close')
  await until(() => client.remotePort !== undefined, { what: 'the connection' })
  lobby.close()
  await ended
})

test('after a close nothing is opened, also where that was under way', async () => {
  const lobby = new Lobby()
  const opening = lobby.open(place)
  lobby.close()
  await opening
  await lobby.open(place)
  assert.equal(lobby.port, 0)
})
