import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

/** What is started as Redis: with `MACARON_REDIS_SERVER=valkey-server` the tests run on Valkey. */
const program = process.env.MACARON_REDIS_SERVER ?? 'redis-server'

/** Why tests that need a Redis are skipped; false where there is one. In CI nothing is skipped: they fail there. */
export const withoutRedis: string | false =
  process.env.CI === 'true' || spawnSync(program, ['--version']).status === 0
    ? false
    : `there is no ${program}`

/** A real Redis on a free port, with a folder of its own, that can be killed, stopped and started again. */
export class RedisServer {
  readonly port: number
  readonly folder: string
  readonly #settings: readonly string[]
  readonly #through: readonly string[]
  #process: ChildProcess | undefined
  #output = ''

  private constructor(port: number, settings: readonly string[], through: readonly string[] = []) {
    this.port = port
    this.#through = through
    this.folder = mkdtempSync(join(tmpdir(), 'macaron-redis-'))
    this.#settings = settings
  }

  /** Starts one; `settings` as on redis-server's command line. It listens on a socket in its folder too. */
  static async start(...settings: readonly string[]): Promise<RedisServer> {
    for (;;) {
      const server = new RedisServer(await freePort(), settings)
      try {
        await server.start()
        return server
      } catch (error) {
        // Another has taken its port meanwhile, or the second one that a node of a cluster listens on.
        if (!String(error).includes('Address already in use')) throw error
        await server.end()
      }
    }
  }

  /** Starts one for a whole network, by what runs a command there. From elsewhere only its socket reaches it. */
  static async startThrough(
    through: readonly string[],
    ...settings: readonly string[]
  ): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), ['--protected-mode', 'no', ...settings], through)
    await server.start()
    return server
  }

  /** Starts a cluster of one node. */
  static async startCluster(...settings: readonly string[]): Promise<RedisServer> {
    const node = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']
    const server = await RedisServer.start(...node, ...settings)
    await server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    await until(async () => (await server.command('CLUSTER', 'INFO')).includes('cluster_state:ok'), {
      what: 'the cluster to be whole',
    })
    return server
  }

  /** Starts one by itself on a copy of what a killed one has left on its disk. */
  static async startOnCopyOf(dead: RedisServer): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), ['--appendonly', 'yes'])
    cpSync(dead.folder, server.folder, { recursive: true, filter: (path) => !path.endsWith('.sock') })
    await server.start()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  get socket(): string {
    return join(this.folder, 'redis.sock')
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Starts it (again), on what it has persisted; resolves when it answers. */
  async start(): Promise<void> {
    const own = ['--port', String(this.port), '--dir', this.folder, '--unixsocket', this.socket]
    // What a sentinel keeps there of what it is told.
    const file = join(this.folder, 'redis.conf')
    writeFileSync(file, '')
    const [command = '', ...args] = [...this.#through, program, file, ...own]
    const child = spawn(command, [...args, '--save', '', ...this.#settings], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const keep = (text: string): void => {
      this.#output += text
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    this.#process = child
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`${program} has ended:\n${this.#output}`)
        return (await this.command('PING').catch(() => '')) !== ''
      },
      { what: `${program} to answer` },
    )
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  /** Kills it, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  /** Kills it and removes its folder. */
  async end(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Sends one command and gives what comes back, unparsed. */
  async command(...words: readonly string[]): Promise<string> {
    return await this.commands([words])
  }

  /** Sends commands one after the other on one connection; gives the last answer. */
  async commands(commands: readonly (readonly string[])[]): Promise<string> {
    const socket = connect(this.socket)
    let reply = ''
    try {
      await once(socket, 'connect')
      for (const words of commands) {
        const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
        socket.write(`*${words.length}\r\n${parts.join('')}`)
        const [piece] = await once(socket, 'data')
        reply = String(piece)
      }
      return reply
    } finally {
      socket.destroy()
    }
  }
}
