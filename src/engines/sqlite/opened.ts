import { chmodSync, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { emit } from '../../core/events.ts'
import { Connection } from './connection.ts'
import { elsewhere, unlogged } from './failures.ts'
import { isElsewhere, type Machine, presentMachine, takeMachine } from './machine.ts'
import { filesAt, flushFolder, prepareFolder } from './place.ts'
import { isOutdated, migrate } from './schema.ts'
import { type Site, siteOf } from './site.ts'
import { requireUser } from './user.ts'

export interface StoreOptions {
  readonly file: string
  readonly now: () => number
  /** Pages of write-ahead log after which a commit copies them into the database file; 0: none does. */
  readonly checkpointPages: number
  /** Of the database file; undefined: no limit of ours. */
  readonly maxBytes?: number | undefined
  /** The service that alone may use it; undefined: any. */
  readonly onlyFor?: string | undefined
}

/** A store as it is open. */
export interface Opened {
  readonly connection: Connection
  readonly bell: ReturnType<Site['bell']>
  readonly log: ReturnType<Site['log']>
  /** The files as they were when opened. */
  readonly files: string
  version: number
}

/** @throws what SQLite says, and StoreError as `settleIn` does. */
export function openOnDisk(options: StoreOptions, silent: Machine | undefined): Opened {
  const { file, checkpointPages, maxBytes } = options
  prepareFolder(dirname(file))
  const isNew = !existsSync(file)
  const connection = new Connection(file, { readOnly: false })
  try {
    // The log and its index are made with the same rights.
    if (isNew) chmodSync(file, 0o600)
    if (!connection.useLog(checkpointPages)) throw unlogged(file)
    if (maxBytes !== undefined) connection.limit(maxBytes)
    if (isOutdated(connection.sql, file)) connection.write(({ sql }) => migrate(sql), true)
    settleIn(connection, options, silent)
    if (isNew) flushFolder(dirname(file))
    return opened(connection, file)
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Nothing of it lies on a disk, and no other machine or user can reach it. */
export function openInMemory(options: StoreOptions): Opened {
  const { file } = options
  const connection = new Connection(file, { readOnly: false })
  if (isOutdated(connection.sql, file)) connection.write(({ sql }) => migrate(sql), false)
  settleIn(connection, options, undefined)
  return opened(connection, file)
}

function opened(connection: Connection, file: string): Opened {
  const site = siteOf(file)
  const log = site.log()
  return { connection, log, bell: site.bell(), files: filesAt(file), version: connection.version() }
}

/** Makes this machine the store's. @throws StoreError `STORE_ELSEWHERE` while another uses it; `SPOOL_OTHER_SERVICE`. */
function settleIn(connection: Connection, options: StoreOptions, silent: Machine | undefined): void {
  const { file, onlyFor } = options
  const now = options.now()
  const former = connection.write(({ sql }) => {
    const present = presentMachine(sql)
    const isSilent = present?.boot === silent?.boot && present?.beatAt === silent?.beatAt
    if (!isSilent && isElsewhere(present, now)) throw elsewhere(file, present.host)
    if (onlyFor !== undefined) requireUser(sql, { service: onlyFor, file })
    return takeMachine(sql, now)
  }, false)
  if (former !== undefined) emit('store.taken_over', { from: former.host })
}
