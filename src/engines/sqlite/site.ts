import { dirname, join } from 'node:path'
import { type AliveLock, holdAlive, holders, isAlive, removeTraces } from '../../supervisor/alive.ts'
import { DamageMark } from './damage.ts'
import { storeError } from './failures.ts'
import { Log } from './log.ts'
import { memoryAt } from './memory.ts'
import { type DiskSpace, spaceAt } from './place.ts'
import { Bell, Ear } from './wake.ts'

/** What lies around a store's database: who is alive, how its users wake each other, how much room there is. */
export interface Site {
  /** False where the store ends with its process: then nothing waits for it. */
  readonly outlivesProcess: boolean
  /** Makes `owner` count as alive until the lock is released or its process dies. @throws StoreError where no lock can be made. */
  hold(owner: string): AliveLock
  isAlive(owner: string): boolean
  /** The workers that have or had a lock here. */
  owners(): readonly string[]
  /** Removes what a dead owner left behind. */
  removeTraces(owner: string): void
  /** Wakes who listens. */
  bell(): Pick<Bell, 'ring' | 'close'>
  ear(onRing: () => void): Pick<Ear, 'rearm' | 'close'>
  /** What makes commits survive a power cut. */
  log(): Pick<Log, 'flush' | 'close'>
  /** What the disk has, or undefined where that can't be told. */
  space(): DiskSpace | undefined
  /** Whether the database is known to be damaged. */
  damage(): Pick<DamageMark, 'isSet' | 'set' | 'remove'>
}

/** What lies around the database `file`, as `Store` names it. */
export function siteOf(file: string): Site {
  return memoryAt(file) ?? onDisk(file)
}

function onDisk(file: string): Site {
  const folder = dirname(file)
  const alive = join(folder, 'alive')
  const wake = join(folder, 'wake')
  return {
    outlivesProcess: true,
    hold: (owner) => hold(alive, owner),
    isAlive: (owner) => isAlive(alive, owner),
    owners: () => holders(alive).flatMap(({ id, parent }) => (parent === undefined ? [id] : [])),
    removeTraces: (owner) => removeTraces(alive, owner),
    bell: () => new Bell(wake),
    ear: (onRing) => new Ear(wake, onRing),
    log: () => new Log(file),
    space: () => spaceAt(file),
    damage: () => new DamageMark(file),
  }
}

function hold(folder: string, owner: string): AliveLock {
  try {
    return holdAlive(folder, owner)
  } catch (error) {
    throw storeError(error, folder)
  }
}
