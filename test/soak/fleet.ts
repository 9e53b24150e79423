import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { readAddress } from '../../src/engines/bullmq/address.ts'
import { Link } from '../../src/engines/bullmq/link.ts'
import { heldTasks, liveWorkers } from '../../src/engines/bullmq/presence.ts'
import { Store } from '../../src/engines/bullmq/store.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { atEnd } from '../e2e/support/at-end.ts'
import type { Run } from '../e2e/support/runs.ts'
import { type RunningService, startService } from '../e2e/support/service.ts'
import { openAt, placeOf } from '../engines/bullmq-place.ts'
import { inside, type Machine, Network } from '../support/network.ts'
import { RedisServer } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

/** One of the machines that run tasks. */
export interface Member {
  readonly machine: Machine
  worker: RunningService
}

/** A run, and on which machine. */
export interface PlacedRun extends Run {
  readonly member: Member
}

/**
 * A service on several machines: each has a network, a folder and a `macaron work` of its own, so that only Redis tells one of another. Its server fires what
 * the test wants.
 */
export class Fleet {
  readonly members: readonly Member[]
  /** Reads Redis without the network. */
  readonly engine: Engine
  readonly #server: RunningService
  readonly #store: Store

  private constructor(members: readonly Member[], server: RunningService, seen: Seen) {
    this.members = members
    this.#server = server
    this.engine = seen.engine
    this.#store = seen.store
  }

  static async start(test: TestContext, machines: number): Promise<Fleet> {
    const service = `fleet ${randomUUID()}`
    const network = Network.create(service.slice(-8))
    atEnd(test, () => network.end())
    const redis = await RedisServer.startThrough(inside(network.hub), '--appendonly', 'yes')
    atEnd(test, () => redis.end())
    const socket = `redis+unix://${redis.socket}`
    const seen = await see(test, socket, service)
    const server = await startService(test, { files: filesOf(service, socket), command: 'serve' })
    const url = `redis://${network.address}:${redis.port}`
    const members = await Promise.all(
      Array.from({ length: machines }, async () => {
        const machine = network.join()
        const files = filesOf(service, url)
        return {
          machine,
          worker: await startService(test, { files, command: 'work', through: machine.through }),
        }
      }),
    )
    return new Fleet(members, server, seen)
  }

  /** Fires so many tasks of the fixture `bench`; answers their ids. */
  async fire(task: string, args: readonly unknown[], times: number): Promise<readonly string[]> {
    const { status, body } = await this.#server.fire(task, args, { times })
    if (status !== 200 || body.ids?.length !== times) throw new Error(`fired ${task}: ${status}`)
    return body.ids
  }

  /** The tasks whose leases one of them has, as Redis has it. */
  async heldBy({ worker }: Member): Promise<ReadonlySet<string>> {
    const [pid] = worker.pids('worker')
    const owner = (await liveWorkers(this.#store)).find((one) => one.pid === pid)?.owner
    const held = await heldTasks(this.#store)
    return new Set(held.filter((task) => task.owner === owner).map(({ id }) => id))
  }

  /** All runs so far, in the order of their starts. */
  runs(): readonly PlacedRun[] {
    return this.members
      .flatMap((member) => member.worker.runs().map((run) => ({ ...run, member })))
      .toSorted((one, other) => one.start - other.start)
  }

  /** Until every task has ended, in whatever way. */
  async settled(): Promise<void> {
    const left = async () => {
      const { scheduled, queued, running } = await this.engine.counts()
      return scheduled + queued + running
    }
    await until(async () => (await left()) === 0, {
      what: 'every task to have ended',
      timeoutMs: 180_000,
      everyMs: 100,
    })
  }

  /** A machine's worker started again, in the folder that it had. */
  async startAgain(test: TestContext, member: Member): Promise<void> {
    const { machine, worker } = member
    member.worker = await startService(test, {
      folder: worker.folder,
      command: 'work',
      through: machine.through,
    })
  }
}

interface Seen {
  readonly engine: Engine
  readonly store: Store
}

async function see(test: TestContext, url: string, service: string): Promise<Seen> {
  const store = new Store(await Link.open(readAddress(url)), { service, now: Date.now, warnings: [] })
  test.after(() => store.close())
  return { engine: await openAt(test, url, placeOf(test, service)), store }
}

const filesOf = (service: string, url: string) => ({
  'macaron.yaml': [
    `name: ${service}`,
    'with_async: true',
    'worker_count: 1',
    'worker_concurrency: 20',
    'log_format: json',
    'spool: off',
    `broker_url: ${url}\n`,
  ].join('\n'),
  '.macaron/seal.key': 'a-key-that-all-the-machines-have-been-given',
})

/** The tasks whose outcome a worker was refused, by its log. */
export function lostLeases({ worker }: Member): ReadonlySet<string> {
  const lines = worker.output.split('\n').filter((line) => line.includes('came after its lease was lost'))
  return new Set(lines.map((line) => String(JSON.parse(line).taskId)))
}
