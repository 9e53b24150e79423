import { RedisServer } from './redis-server.ts'
import { until } from './until.ts'

/** A master and a replica that a sentinel watches over, as the group `main`. */
export class Group implements AsyncDisposable {
  readonly sentinel: RedisServer
  readonly members: readonly [RedisServer, RedisServer]

  private constructor(sentinel: RedisServer, members: readonly [RedisServer, RedisServer]) {
    this.sentinel = sentinel
    this.members = members
  }

  static async start(...own: readonly string[]): Promise<Group> {
    const settings = ['--repl-diskless-sync-delay', '0', ...own]
    const master = await RedisServer.start(...settings)
    const replica = await RedisServer.start(...settings, '--replicaof', `127.0.0.1 ${master.port}`)
    const sentinel = await RedisServer.start('--sentinel')
    const group = new Group(sentinel, [master, replica])
    await sentinel.command('SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(master.port), '1')
    await sentinel.command('SENTINEL', 'SET', 'main', 'down-after-milliseconds', '1000')
    await sentinel.command('SENTINEL', 'SET', 'main', 'failover-timeout', '3000')
    await group.whole()
    return group
  }

  /** How a service finds it. */
  get url(): string {
    return `redis+sentinel://127.0.0.1:${this.sentinel.port}/main`
  }

  /** Resolves when one is the master, the other follows it, and the sentinel knows both. */
  async whole(): Promise<{ readonly master: RedisServer; readonly replica: RedisServer }> {
    return await until(() => this.#look(), {
      what: 'master, replica and sentinel to agree',
      timeoutMs: 60_000,
      everyMs: 50,
    })
  }

  async #look() {
    const [port, known] = [
      await this.masterPort(),
      await this.sentinel.command('SENTINEL', 'REPLICAS', 'main'),
    ]
    const master = this.members.find((member) => member.port === port)
    const replica = this.members.find((member) => member.port !== port)
    if (master === undefined || replica === undefined) return undefined
    const [role, link] = await Promise.all([
      master.command('ROLE').catch(() => ''),
      replica.command('INFO', 'replication').catch(() => ''),
    ])
    const isWhole =
      role.includes('master') &&
      link.includes(`master_port:${port}`) &&
      link.includes('master_link_status:up') &&
      known.includes(String(replica.port)) &&
      !/s_down|disconnected/.test(known)
    return isWhole ? { master, replica } : undefined
  }

  /** Of the one that the sentinel names. */
  async masterPort(): Promise<number> {
    const reply = await this.sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main').catch(() => '')
    return Number(/\r\n(\d+)\r\n$/.exec(reply)?.[1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.sentinel, ...this.members].map((server) => server.end()))
  }
}
