import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { peersFolder } from './places.ts'

/** The libraries we measure ourselves against, in exact versions, installed into `.bench/peers` and nowhere else. */
const manifest = {
  private: true,
  dependencies: {
    fastify: '5.12.8',
    'fastify-openapi-glue': '4.11.4',
    express: '5.3.0',
    'express-openapi-validator': '5.6.2',
    ajv: '8.20.0',
    bullmq: '6.7.0',
    ioredis: '6.0.0',
    'bee-queue': '2.0.0',
    plainjob: '0.0.14',
    'better-sqlite3': '13.2.0',
  },
}

/** Installs the peers where they aren't installed yet in these versions. */
export function installPeers(log: (text: string) => void): void {
  const file = join(peersFolder, 'package.json')
  const wanted = JSON.stringify(manifest, undefined, 2)
  const isInstalled = existsSync(join(peersFolder, 'node_modules', '.package-lock.json'))
  if (isInstalled && readFileSync(file, 'utf8') === wanted) return
  log('installing the peers into .bench/peers')
  mkdirSync(peersFolder, { recursive: true })
  writeFileSync(file, wanted)
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund'], {
    cwd: peersFolder,
    stdio: 'inherit',
  })
}

/** A peer's exports. The repository has none of their types: each use says in `T` what it takes. */
export function fromPeers<T>(name: string): T {
  return createRequire(join(peersFolder, 'package.json'))(name) as T // the caller names what it uses of it
}
