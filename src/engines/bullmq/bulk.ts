import { asError } from '../../core/errors.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import type { Outcome } from '../engine.ts'
import { takenAwayAt } from '../losses.ts'
import { type Held, lockMs } from './held.ts'
import { dataOf } from './job.ts'
import type { Store } from './store.ts'
import { type Claim, type Found, fieldsRead, type TakenAll, takenAllOf } from './taking.ts'

/** Many tasks in one step of Redis, in the plain cases that `bulk-scripts.ts` knows. */

/** Most tasks, and most characters, of one step: nobody else waits for it longer than a millisecond or two. */
const stepSize = 100
const stepLength = 262_144

/** What one step of Redis does to some of a list, and its answer for each of them. */
export interface Step<Item, Answer> {
  readonly items: readonly Item[]
  readonly answers: Promise<readonly Answer[]>
}

/** Stores tasks that are to run as soon as may be; what was stored before is left as it is. Answers for each what kept it from being stored. Never rejects. */
export async function addAll(
  store: Store,
  batch: readonly TaskMessage[],
): Promise<readonly (Error | undefined)[]> {
  const { scripts, keys, own, base, link, now } = store
  const used = [keys.wait, keys.prioritized, keys.priorities, keys.marker, keys.meta, own.ids]
  const steps = stepsOf(batch, (message) => [message.id, message.name, dataOf(message), message.priority])
  const faults = await Promise.all(
    steps.map(({ values }) => faultOf(link.use(() => scripts.addAll(used, [base, now(), ...values])))),
  )
  return steps.flatMap(({ items }, at) => items.map(() => faults[at]))
}

/** When the first scheduled task is due, ms since epoch; undefined where it is by now, or no step like this may take anything. */
type NextDue = { readonly nextDue: number | undefined }

/** Most characters of tasks that are taken in one step: on the slowest network that is waited for they come long before their leases end. */
const takenLength = 1_048_576

/** Takes those that are next in line, one for each claim at most. */
export async function takeAll(
  store: Store,
  claims: readonly Claim[],
  owner: string,
): Promise<TakenAll & NextDue> {
  const { scripts, keys, base, link, now } = store
  const used = [keys.wait, keys.prioritized, keys.active, keys.meta, keys.delayed, keys.marker]
  const values = [base, now(), lockMs, owner, takenLength, fieldsRead.length, ...fieldsRead]
  const tokens = claims.map(({ token }) => token)
  const reply = await link.use(() => scripts.takeAll(used, [...values, ...tokens]))
  const [due, left, ...jobs]: unknown[] = Array.isArray(reply) ? reply : [0]
  const found = claims.slice(0, jobs.length).map((claim, index) => foundOf(jobs[index], claim))
  return { ...takenAllOf(found, left === 1), nextDue: nextDue(Number(due)) }
}

/** By what the script was asked for. */
function foundOf(job: unknown, claim: Claim): Found {
  const [id, ats, name, data, progress, atm, stc, opts, parent]: unknown[] = Array.isArray(job) ? job : []
  return { id: String(id), fields: { ats, name, data, progress, atm, stc, opts, parent }, claim }
}

function nextDue(due: number): number | undefined {
  if (due === 0) return undefined
  return due < 0 ? Number.POSITIVE_INFINITY : due
}

/** An attempt that ended well and fired nothing. */
export interface Completed {
  readonly held: Held
  readonly outcome: Extract<Outcome, { kind: 'done' }>
}

/** Records those. Answers with true, or false where BullMQ's own script has to see to it. */
export function completeAll<Item extends Completed>(
  store: Store,
  batch: readonly Item[],
): readonly Step<Item, boolean>[] {
  const { scripts, keys, own, base, link, now } = store
  const used = [keys.active, keys.completed, keys.stalled, own.expires]
  const steps = stepsOf(batch, ({ held, outcome }) => [
    held.message.id,
    held.token,
    // As BullMQ stores what a job returns.
    JSON.stringify(outcome.result),
    held.moves + 1,
    outcome.expiresAt,
  ])
  return steps.map(({ items, values }) => {
    const reply = link.use(() => scripts.completeAll(used, [base, now(), ...values]))
    return { items, answers: reply.then((answers) => areAll(0, answers, items)) }
  })
}

/** How long nobody can store a task again that has run and was deleted: who got no answer may try it again. */
export const rememberedMs = 600_000

/** Deletes those that are done and may go by `due`, with every note of them. Answers for each with true, or false where something else has to see to it. */
export async function deleteAll(
  store: Store,
  ids: readonly string[],
  due: number,
): Promise<readonly boolean[]> {
  const { scripts, keys, own, base, link, now } = store
  const used = [keys.completed, own.expires, own.ids, own.parked, own.cancelled]
  const deleted = stepsOf(ids, (id) => [id]).map(async ({ items, values }) => {
    const terms = [base, now(), due, rememberedMs, takenAwayAt]
    return areAll(1, await link.use(() => scripts.deleteAll(used, [...terms, ...values])), items)
  })
  return (await Promise.all(deleted)).flat()
}

function faultOf(work: Promise<unknown>): Promise<Error | undefined> {
  return work.then(() => undefined, asError)
}

/** For each whether its answer is the one that says that it was done. */
function areAll(done: number, answers: unknown, items: readonly unknown[]): readonly boolean[] {
  return items.map((_, index) => Array.isArray(answers) && answers[index] === done)
}

interface Part<Item> {
  readonly items: Item[]
  /** Of all of them, one behind the other. */
  readonly values: (string | number)[]
}

function stepsOf<Item>(
  items: readonly Item[],
  valuesOf: (item: Item) => readonly (string | number)[],
): readonly Part<Item>[] {
  const steps: Part<Item>[] = []
  let length = Number.POSITIVE_INFINITY
  for (const item of items) {
    const values = valuesOf(item)
    const added = values.reduce<number>((sum, value) => sum + String(value).length, 0)
    const last = steps.at(-1)
    length += added
    if (last !== undefined && last.items.length < stepSize && length <= stepLength) {
      last.items.push(item)
      last.values.push(...values)
    } else {
      steps.push({ items: [item], values: [...values] })
      length = added
    }
  }
  return steps
}
