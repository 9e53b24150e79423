import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Load, Loaded } from './load.ts'

/** Load from this process, for machines without wrk: plain sockets, because an HTTP client costs more than the servers measured. */
export async function loadFromHere(wanted: Load): Promise<Loaded> {
  const { hostname, port } = new URL(wanted.url)
  const request = requestText(wanted)
  const sockets = await Promise.all(
    Array.from({ length: wanted.connections }, () => open(hostname, Number(port))),
  )
  const started = performance.now()
  const deadline = started + wanted.seconds * 1000
  const counts = await Promise.all(sockets.map((socket) => drive(socket, request, deadline)))
  const requests = counts.reduce((total, count) => total + count, 0)
  return { requests, perSecond: requests / ((performance.now() - started) / 1000) }
}

function requestText({ url, body }: Load): string {
  const { host, pathname, search } = new URL(url)
  const head = ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`].join('\r\n')
  return `POST ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n${head}\r\n\r\n${body}`
}

async function open(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Sends the request again and again until the deadline; resolves with how many were answered. */
function drive(socket: Socket, request: string, deadline: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let answered = 0
  let received = ''
  socket.on('error', reject)
  socket.on('close', () => resolve(answered))
  socket.setEncoding('latin1').on('data', (data: string) => {
    received += data
    if (!isWhole(received)) return
    if (!/^HTTP\/1\.1 2/.test(received))
      return void socket.destroy(new Error(`answered ${received.slice(0, 200)}`))
    answered += 1
    received = ''
    if (performance.now() < deadline) socket.write(request)
    else socket.destroy()
  })
  socket.write(request)
  return promise
}

/** Whether the head and as much body as it announces are here. */
function isWhole(received: string): boolean {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(received.slice(0, end))?.[1] ?? 0)
  return received.length >= end + 4 + length
}
