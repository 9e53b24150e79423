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
  /** What its data takes. */
  usedBytes(): number
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
    usedBytes: () => Number(/used_memory:(\d+)/.exec(command(port, 'info', 'memory'))?.[1]),
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
