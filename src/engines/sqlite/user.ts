import { StoreError } from '../../core/errors.ts'
import { integer, text } from './columns.ts'
import type { Sql } from './sql.ts'

/** Whose a store is, where one service alone may use it: a spool forwards what lies in it to the queue of its user, whoever has fired it. */
export interface User {
  /** The service's name. */
  readonly service: string
  readonly file: string
}

/**
 * Notes the user of a store that has none yet, or holds nothing of the former one; to be called in every transaction, since another may have become its user meanwhile.
 * @throws StoreError `SPOOL_OTHER_SERVICE` where tasks of another service lie in it.
 */
export function requireUser(sql: Sql, { service, file }: User): void {
  const row = sql.first('SELECT service FROM user')
  const present = row && text(row[0])
  if (present === service) return
  if (present !== undefined && holdsTasks(sql)) throw otherService({ service, file }, present)
  sql.run('INSERT INTO user VALUES (1, ?) ON CONFLICT DO UPDATE SET service = excluded.service', service)
}

/** What is done was forwarded; what is parked or cancelled can be put back. */
function holdsTasks(sql: Sql): boolean {
  const row = sql.first('SELECT scheduled + queued + running + cancelled + parked FROM totals')
  return integer(row?.[0]) > 0
}

function otherService({ service, file }: User, present: string): StoreError {
  return new StoreError(
    'SPOOL_OTHER_SERVICE',
    `${file} holds tasks of the service ${JSON.stringify(present)}; this one is ${JSON.stringify(service)}, and would forward them to the wrong queue. Give each service a folder of its own. Where this one was renamed, start it once more by its former name until they are forwarded, or \`macaron tasks move\` them.`,
  )
}
