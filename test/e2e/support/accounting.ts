import { Redis } from 'ioredis'
import { RedisServer } from '../../support/redis-server.ts'
import type { RunningService } from './service.ts'

/** Which tasks a Redis of the fixture service knows. */
export async function tasksOn(redis: RedisServer, service: string): Promise<Set<string>> {
  const client = new Redis(redis.port, '127.0.0.1')
  try {
    return new Set(await client.zrange(`{macaron:${service}}:ids`, '0', '-1'))
  } finally {
    client.disconnect()
  }
}

/** What a master that was killed had on its disk, read by a Redis of its own. */
export async function tasksOfDead(master: RedisServer, service: string): Promise<Set<string>> {
  const copy = await RedisServer.startOnCopyOf(master)
  try {
    return await tasksOn(copy, service)
  } finally {
    await copy.end()
  }
}

/** What the one has and the other has not. */
export function lackedBy(other: ReadonlySet<string>, one: ReadonlySet<string>): readonly string[] {
  return [...one].filter((id) => !other.has(id))
}

export interface Account {
  readonly answered: number
  readonly ran: number
  /** Answered, and on the dead master alone: the price of a replica that is behind. */
  readonly lacked: readonly string[]
  /** Answered, and neither run nor explained by that. */
  readonly lost: readonly string[]
  readonly doubled: number
}

/** Where every task is that was answered. `lacking`: what dead masters had, and who took over had not. */
export function accountOf(
  service: RunningService,
  ids: ReadonlyMap<string, string>,
  lacking: ReadonlySet<string>,
): Account {
  const runs = service.runs()
  const ended = new Set(runs.flatMap((run) => (run.ended ? [run.key] : [])))
  const missing = [...ids].filter(([key]) => !ended.has(key))
  return {
    answered: ids.size,
    ran: ended.size,
    lacked: missing.flatMap(([key, id]) => (lacking.has(id) ? [key] : [])),
    lost: missing.flatMap(([key, id]) => (lacking.has(id) ? [] : [key])),
    doubled: runs.length - new Set(runs.map((run) => run.key)).size,
  }
}

export function describeAccount({ answered, ran, lacked, lost, doubled }: Account): string {
  return `answered 2xx ${answered}, ran ${ran}, lacked by the replica ${lacked.length}, lost ${lost.length}, run more than once ${doubled}`
}
