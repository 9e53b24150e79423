import { RedisServer } from './redis-server.ts'
import { until } from './until.ts'

const login = ['--user', 'copier', 'on', '>secret', '~*', '&*', '+@all']
const copying = ['--masteruser', 'copier', '--masterauth', 'secret']
const settings = ['--bind', '127.0.0.1', '--appendonly', 'yes', '--repl-diskless-sync-delay', '0']

/** A master, a replica of it, and three sentinels that watch over both, all of them real and on loopback. */
export class RedisGroup implements AsyncDisposable {
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]

  private constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.servers = servers
    this.sentinels = sentinels
  }

  static async start(): Promise<RedisGroup> {
    const master = await RedisServer.start(...settings, ...login, ...copying)
    const replica = await RedisServer.start(...settings, ...login, ...copying)
    await replica.command('REPLICAOF', '127.0.0.1', String(master.port))
    const sentinel = () => RedisServer.start('--bind', '127.0.0.1', '--sentinel')
    const group = new RedisGroup([master, replica], await Promise.all([sentinel(), sentinel(), sentinel()]))
    for (const one of group.sentinels) await watch(one, master)
    await Promise.all([group.whole(), group.known()])
    return group
  }

  get url(): string {
    return `redis+sentinel://${this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/main`
  }

  /** Whom the sentinels call the master; undefined while they don't agree. */
  async master(): Promise<RedisServer | undefined> {
    const told = await Promise.all(
      this.sentinels.map((one) => one.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main').catch(() => '')),
    )
    const known = told.filter((text) => text !== '')
    return this.servers.find(({ port }) => known.every((text) => text.includes(`\r\n${port}\r\n`)))
  }

  /** Until another one than `last` is the master, and knows it. */
  async promotedAfter(last: RedisServer): Promise<RedisServer> {
    return await until(
      async () => {
        const master = await this.master()
        if (master === undefined || master === last) return undefined
        return (await roleOf(master)) === 'master' ? master : undefined
      },
      { what: 'a sentinel to promote the replica', everyMs: 50 },
    )
  }

  /** Until every sentinel knows of all the others and of the replica. */
  async known(): Promise<void> {
    await until(
      async () => (await Promise.all(this.sentinels.map((one) => this.#knowsAll(one)))).every(Boolean),
      { what: 'the sentinels to know of each other', everyMs: 50 },
    )
  }

  /** Until one is the master, and the other has all that it has. */
  async whole(): Promise<{ readonly master: RedisServer; readonly replica: RedisServer }> {
    return await until(
      async () => {
        const master = await this.master()
        const replica = this.servers.find((server) => server !== master)
        if (master === undefined || replica === undefined) return undefined
        const isWhole = (await roleOf(master)) === 'master' && (await follows(replica, master))
        return isWhole ? { master, replica } : undefined
      },
      { what: 'the replica to follow', timeoutMs: 60_000, everyMs: 50 },
    )
  }

  async #knowsAll(sentinel: RedisServer): Promise<boolean> {
    const facts = await sentinel.command('SENTINEL', 'MASTER', 'main').catch(() => '')
    return /num-slaves\r\n\$1\r\n1\r\n\$19\r\nnum-other-sentinels\r\n\$1\r\n2\r\n/.test(facts)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.end()))
  }
}

/** From now on its replica gets nothing more of it: it may not come back. */
export async function cutReplicaOf(master: RedisServer): Promise<void> {
  await master.command('ACL', 'SETUSER', 'copier', 'off')
  await master.command('CLIENT', 'KILL', 'TYPE', 'replica')
}

export async function roleOf(server: RedisServer): Promise<string> {
  const info = await server.command('INFO', 'replication').catch(() => '')
  return /role:(\w+)/.exec(info)?.[1] ?? ''
}

async function follows(replica: RedisServer, master: RedisServer): Promise<boolean> {
  const info = await replica.command('INFO', 'replication').catch(() => '')
  return info.includes('master_link_status:up') && info.includes(`master_port:${master.port}\r\n`)
}

async function watch(sentinel: RedisServer, master: RedisServer): Promise<void> {
  await sentinel.command('SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(master.port), '2')
  await sentinel.command('SENTINEL', 'SET', 'main', 'down-after-milliseconds', '1000')
  await sentinel.command('SENTINEL', 'SET', 'main', 'failover-timeout', '1000')
}
