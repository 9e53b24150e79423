import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from '../../test/support/free-port.ts'
import { until } from '../../test/support/until.ts'
import { runPlace } from './places.ts'

/** A Redis of our own, on a free port and with a folder of its own, without persistence. */
export interface Redis extends AsyncDisposable {
  readonly port: number
  /** Empties it. */
  flush(): void
  /** How many keys a database of it has. */
  keys(database: number): number
  /** What its data takes. */
  usedBytes(): number
  /** Processor time of the thread that all commands go through, in µs. */
  cpuMicros(): number
  connections(): number
  /** How often each command was called. */
  calls(): ReadonlyMap<string, number>
}

/** Starts one; undefined where the machine has no redis-server. */
export async function startRedis(): Promise<Redis | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  const port = await freePort()
  const folder = runPlace('redis')
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const child = spawn('redis-server', args, { stdio: 'ignore' })
  await until(() => command(port, 'ping').startsWith('PONG'), { what: 'redis-server' })
  return {
    port,
    flush: () => void command(port, 'flushall'),
    keys: (database) => Number(command(port, '-n', String(database), 'dbsize')),
    usedBytes: () => Number(/used_memory:(\d+)/.exec(command(port, 'info', 'memory'))?.[1]),
    cpuMicros: () => {
      const used = command(port, 'info', 'cpu').matchAll(/used_cpu_(?:sys|user)_main_thread:([\d.]+)/g)
      return [...used].reduce((sum, [, seconds]) => sum + Number(seconds) * 1e6, 0)
    },
    // But the one that asks.
    connections: () => Number(/connected_clients:(\d+)/.exec(command(port, 'info', 'clients'))?.[1]) - 1,
    calls: () => {
      const lines = command(port, 'info', 'commandstats').matchAll(/cmdstat_(\S+?):calls=(\d+)/g)
      return new Map([...lines].map(([, name = '', calls]) => [name, Number(calls)]))
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

function command(port: number, ...words: readonly string[]): string {
  try {
    return execFileSync('redis-cli', ['-p', String(port), ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    // Not up yet.
    return ''
  }
}
