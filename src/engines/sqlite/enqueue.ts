import { asError } from '../../core/errors.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import { integer } from './columns.ts'
import type { Transaction } from './connection.ts'
import { isStoreFailure, overLimit } from './failures.ts'
import { stateCode } from './schema.ts'
import type { Sql } from './sql.ts'

/** Messages into the store, as one flat list of columns. */
export type Fields = readonly (string | number)[]

/** A message that could not be stored for a reason of its own; the others of its batch are. */
export interface Refusal {
  /** Its place in the batch. */
  readonly index: number
  readonly message: string
}

const width = 10

export function fieldsOf(batch: readonly TaskMessage[]): Fields {
  const fields: (string | number)[] = []
  for (const message of batch) {
    fields.push(message.id, message.name, message.queue, message.priority, message.runAt, message.firedAt)
    fields.push(message.atMostOnce ? 1 : 0, message.args, message.options, message.context)
  }
  return fields
}

/** About how many bytes the messages take. */
export function bytesOf(batch: readonly TaskMessage[]): number {
  return batch.reduce((sum, { args, context }) => sum + Buffer.byteLength(args) + context.length + 400, 0)
}

/** Stores messages as tasks; those whose id is known already are left as they are. */
export function enqueue(transaction: Transaction, fields: Fields, now: number): readonly Refusal[] {
  const { sql, totals, mostPages } = transaction
  const refusals: Refusal[] = []
  let first: number | undefined
  let scheduled = 0
  for (let at = 0; at < fields.length; at += width) {
    try {
      const seq = sql.insert(insertMessage, ...fields.slice(at, at + width))
      if (seq === undefined) continue
      first ??= seq
      if (Number(fields[at + 4]) > now) scheduled++
    } catch (error) {
      if (isStoreFailure(error)) throw error
      refusals.push({ index: at / width, message: asError(error).message })
    }
  }
  const added = first === undefined ? 0 : sql.run(insertTasks, now, first)
  totals.add('scheduled', scheduled)
  totals.add('queued', added - scheduled)
  if (mostPages < Number.POSITIVE_INFINITY && pagesInUse(sql) > mostPages) throw overLimit()
  return refusals
}

function pagesInUse(sql: Sql): number {
  return integer(sql.first('PRAGMA page_count')?.[0]) - integer(sql.first('PRAGMA freelist_count')?.[0])
}

// Not OR IGNORE: that would pass over every other fault of a row in silence too.
const insertMessage = `
  INSERT INTO messages (id, name, queue, priority, run_at, fired_at, at_most_once, args, options, context)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`

// A task's run_at is when it may start: that orders the queue, so a delayed task stands where one fired at its due time would.
const insertTasks = `
  INSERT INTO tasks (seq, state, priority, run_at, at_most_once)
  SELECT seq, iif(run_at > ?, ${stateCode.scheduled}, ${stateCode.queued}), priority, max(run_at, fired_at), at_most_once
  FROM messages WHERE seq >= ?`
