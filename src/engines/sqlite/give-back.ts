import { emit } from '../../core/events.ts'
import { keepSettledMs, lossError, lossReasons, poisonAfter, suspectAfter } from '../losses.ts'
import { errorText, integer, text } from './columns.ts'
import type { Transaction } from './connection.ts'
import type { Owner } from './owners.ts'
import { stateCode } from './schema.ts'

/** Puts back into the queue what a worker still holds that has stopped or died. */

export interface GivenBack {
  readonly tasks: number
  /** Those that may not run again by themselves. */
  readonly parked: readonly Parked[]
}

interface Parked {
  readonly id: string
  readonly name: string
  readonly reason: 'lost' | 'poison'
}

/**
 * Gives back all that `owner` holds and removes its row; undefined where that has been done already. Tasks that must not start twice may have
 * started, so they are parked. `died`: the others have one loss more each, for one of them may be what takes the whole worker down.
 */
export function giveBack(
  transaction: Transaction,
  owner: Owner,
  at: { readonly now: number; readonly died: boolean },
): GivenBack | undefined {
  const { sql, totals } = transaction
  if (sql.run('DELETE FROM owners WHERE number = ?', owner.number) === 0) return undefined
  const loss = at.died ? 1 : 0
  const lost = park(transaction, { reason: 'lost', now: at.now, parameters: [owner.number] })
  const poison = park(transaction, { reason: 'poison', now: at.now, parameters: [owner.number, loss] })
  const returned = sql.run(returnHeld, loss, loss, owner.number)
  totals.move('running', 'queued', returned)
  return { tasks: returned + lost.length + poison.length, parked: [...lost, ...poison] }
}

/** Says which tasks were parked; to be called once that is committed. */
export function reportParked(parked: readonly Parked[]): void {
  for (const { id, name, reason } of parked)
    emit('task.parked', { taskId: id, name, reason, message: lossReasons[reason] })
}

interface Parking {
  readonly reason: Parked['reason']
  readonly now: number
  readonly parameters: readonly number[]
}

function park({ sql, totals }: Transaction, { reason, now, parameters }: Parking): readonly Parked[] {
  const error = errorText(lossError(reason))
  const rows = sql.all(parkHeld[reason], reason, error, now, now + keepSettledMs, ...parameters)
  totals.move('running', 'parked', rows.length)
  return rows.map((row) => {
    const message = sql.first('SELECT id, name FROM messages WHERE seq = ?', integer(row[0]))
    return { id: text(message?.[0]), name: text(message?.[1]), reason }
  })
}

const held = `owner = ? AND state = ${stateCode.running}`

const parkWhere = (condition: string) => `
  UPDATE tasks SET state = ${stateCode.parked}, reason = ?, error = ?, settled_at = ?, expires_at = ?, attempts = attempts + 1,
    suspect = 0, losses = 0, owner = NULL, lease = NULL
  WHERE ${held} AND ${condition} RETURNING seq`
const parkHeld = {
  lost: parkWhere('at_most_once = 1'),
  poison: parkWhere(`losses + ? >= ${poisonAfter}`),
}

const returnHeld = `
  UPDATE tasks SET state = ${stateCode.queued}, owner = NULL, lease = NULL, started_at = NULL, losses = losses + ?,
    suspect = iif(losses + ? >= ${suspectAfter}, 1, suspect) WHERE ${held}`
