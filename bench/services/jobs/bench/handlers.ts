import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { asyncTask } from 'macaron'

/** The endpoints and tasks that the benches measure. Tasks tell what they saw in files beside the service's own. */
interface Signup {
  readonly name: string
  readonly email: string
  readonly note: string
}

const service = join(import.meta.dirname, '..')

export const noop = asyncTask(async function noop(_name: string, _email: string, _note: string) {})

/** Waits, as one that asks another service does. */
export const pause = asyncTask(async function pause(ms: number) {
  await delay(ms)
})

/** Writes down how long it took from the fire to here, in ms. */
export const stamp = asyncTask(async function stamp(firedAt: bigint) {
  const waited = Number(process.hrtime.bigint() - firedAt) / 1e6
  appendFileSync(join(service, 'waits.txt'), `${waited}\n`)
})

/** Writes down its executor and its start; the first attempt then never ends, a later one does at once. */
export const hold = asyncTask(async function hold() {
  const starts = join(service, 'starts.txt')
  const isFirst = !existsSync(starts) || readFileSync(starts, 'utf8') === ''
  appendFileSync(starts, `${process.pid} ${process.hrtime.bigint()}\n`)
  if (isFirst) await new Promise(() => {})
})

export function doPlain({ name }: Signup) {
  return { ok: true, id: name }
}

export function doFire({ name, email, note }: Signup) {
  return { ok: true, id: noop.fire(name, email, note).id }
}

export function doFill({ name, email, note }: Signup, { count }: { count: number }) {
  for (let fired = 0; fired < count; fired += 1) noop.fire(name, email, note)
  return { ok: true, id: String(count) }
}

export function doPauses(_signup: Signup, { count, ms }: { count: number; ms: number }) {
  for (let fired = 0; fired < count; fired += 1) pause.fire(ms)
  return { ok: true, id: String(count) }
}

/** No-ops that are deleted a quarter of a minute after they are done. */
export function doPassing({ name, email, note }: Signup, { count }: { count: number }) {
  const passing = noop.with({ keep: '15s' })
  for (let fired = 0; fired < count; fired += 1) passing.fire(name, email, note)
  return { ok: true, id: String(count) }
}

export function doStamp() {
  return { ok: true, id: stamp.fire(process.hrtime.bigint()).id }
}

export function doHold() {
  return { ok: true, id: hold.fire().id }
}
