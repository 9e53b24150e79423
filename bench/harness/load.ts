import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadFromHere } from './own-load.ts'
import { runPlace } from './places.ts'

/** A window of load on one address: the same POST from so many connections, each sending the next when the last is answered. */
export interface Load {
  readonly url: string
  readonly body: string
  readonly connections: number
  readonly seconds: number
}

export interface Loaded {
  /** Answered requests. */
  readonly requests: number
  readonly perSecond: number
}

const hasWrk = spawnSync('wrk', ['--version']).error === undefined

/** What makes the load, for the head of a report. */
export const loader = hasWrk ? 'wrk' : 'own load loop (wrk is not installed)'

/** Puts load on and tells what came of it. Throws where any answer was not a 2xx: such figures mean nothing. */
export async function load(wanted: Load): Promise<Loaded> {
  return hasWrk ? await loadWithWrk(wanted) : await loadFromHere(wanted)
}

async function loadWithWrk({ url, body, connections, seconds }: Load): Promise<Loaded> {
  const script = join(runPlace('wrk'), 'post.lua')
  writeFileSync(
    script,
    `wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'\nwrk.body = [==[${body}]==]\n`,
  )
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url]
  const { stdout } = await promisify(execFile)('wrk', args)
  const bad = /Non-2xx.*|Socket errors.*/.exec(stdout)?.[0]
  if (bad !== undefined) throw new Error(`load on ${url}: ${bad.trim()}`)
  const [, requests, took] = /(\d+) requests in ([\d.]+)s/.exec(stdout) ?? []
  if (requests === undefined || took === undefined) throw new Error(`wrk printed no result:\n${stdout}`)
  return { requests: Number(requests), perSecond: Number(requests) / Number(took) }
}
