import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { integer, text } from './columns.ts'
import { elsewhere } from './failures.ts'
import type { Sql } from './sql.ts'

/**
 * One machine at a time uses a store: its locks and shared memory mean nothing to another. The store names the machine (by the kernel's boot
 * id, which containers of one machine share) and when it last gave a sign of life.
 */
export interface Machine {
  readonly boot: string
  readonly host: string
  /** By that machine's clock. */
  readonly beatAt: number
}

/** How often a process that uses the store gives a sign of life. */
export const beatEveryMs = 5_000

/** A sign of life older than this, by the wall clock, is none. */
const deadAfterMs = 60_000

/** The machine that has the store, or undefined in a new one. */
export function presentMachine(sql: Sql): Machine | undefined {
  const row = sql.first('SELECT boot, host, beat_at FROM machine')
  return row && { boot: text(row[0]), host: text(row[1]), beatAt: integer(row[2]) }
}

/** Whether `machine` is another one that may still use the store. */
export function isElsewhere(machine: Machine | undefined, now: number): machine is Machine {
  if (machine === undefined || machine.boot === ownBoot) return false
  return now - machine.beatAt < deadAfterMs
}

/** Writes this machine into the store; answers from whom it was taken over, if from another. */
export function takeMachine(sql: Sql, now: number): Machine | undefined {
  const former = presentMachine(sql)
  sql.run(
    'INSERT INTO machine VALUES (1, ?, ?, ?) ON CONFLICT DO UPDATE SET boot = excluded.boot, host = excluded.host, beat_at = excluded.beat_at',
    ownBoot,
    hostname(),
    now,
  )
  return former?.boot === ownBoot ? undefined : former
}

/**
 * Gives a sign of life.
 * @throws StoreError `STORE_ELSEWHERE` when another machine has taken the store meanwhile, as after a long pause of this one.
 */
export function beat(sql: Sql, file: string, now: number): undefined {
  if (sql.run('UPDATE machine SET beat_at = ? WHERE boot = ?', now, ownBoot) === 1) return undefined
  throw elsewhere(file, presentMachine(sql)?.host ?? 'unknown')
}

const ownBoot = readBoot()

/** Only Linux has a boot id; elsewhere the host's name must do. */
function readBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return `host ${hostname()}`
  }
}
