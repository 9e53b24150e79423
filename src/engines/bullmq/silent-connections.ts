import type { Redis } from 'ioredis'
import { unanswered } from './failures.ts'

const lookEveryMs = 500
/** More than this is not waited for at the slowest rate: whether the network is cut must be known before leases run out. */
const mostBytes = 1_572_864

/**
 * Gives up a connection on which commands are under way and nothing has come for `msFor(bytes)`, by the bytes that were sent since. (ioredis' `socketTimeout` knows
 * one time for all: a command that takes longer to send would end every connection, again and again.)
 */
export function endSilentConnections(client: Redis, where: string, msFor: (bytes: number) => number): void {
  client.on('connect', () => {
    const { stream } = client
    const longestMs = msFor(mostBytes)
    let heardAt = performance.now()
    let sentBefore = stream.bytesWritten
    const heard = () => {
      heardAt = performance.now()
      sentBefore = stream.bytesWritten
    }
    const giveUp = (ms: number) => stream.destroy(unanswered(where, ms))
    const look = setInterval(() => {
      if (client.commandQueue.length === 0) return heard()
      // While this process still holds some of it, Node sees whether that goes on; the system holds megabytes of which nobody does.
      if (stream.writableLength > 0) heardAt = performance.now()
      const ms = msFor(Math.min(stream.bytesWritten - sentBefore, mostBytes))
      if (performance.now() - heardAt >= ms) giveUp(ms)
    }, lookEveryMs).unref()
    stream.on('data', heard)
    stream.setTimeout(longestMs).on('timeout', () => stream.writableLength > 0 && giveUp(longestMs))
    stream.once('close', () => clearInterval(look))
  })
}
