import { asError } from '../../core/errors.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import type { Outcome } from '../engine.ts'
import { takenAwayAt } from '../losses.ts'
import { type Held, lockMs } from './held.ts'
import { dataOf } from './job.ts'
import type { Store } from './store.ts'
import { type Claim, fieldsRead, type TakenAll, takenAllOf } from './taking.ts'

/** Many tasks in one step of Redis, in the plain cases that `bulk-scripts.ts` knows. */

/** Most tasks, and most characters, of one step: nobody else waits for it longer than a millisecond or two. */
const stepSize = 100
const stepLength = 262_144

/** Stores tasks that are to run as soon as may be; what was stored before is left as it is. Answers for each what kept it from being stored. Never rejects. */
export async function addAll(
  store: Store,
  batch: readonly TaskMessage[],
): Promise<readonly (Error | undefined)[]> {
  const { scripts, keys, own, base, link, now } = store
  const used = [keys.wait, keys.prioritized, keys.priorities, keys.marker, keys.meta, own.ids]
  const entries = batch.map((message) => [message.id, message.name, dataOf(message), message.priority])
  const steps = stepsOf(entries)
  const faults = await Promise.all(
    steps.map((step) => faultOf(link.use(() => scripts.addAll(used, [base, now(), ...step.flat()])))),
  )
  return steps.flatMap((step, at) => step.map(() => faults[at]))
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
  const found = claims.slice(0, jobs.length).map((claim, index) => {
    const job = jobs[index]
    const [id, starts, ...texts]: unknown[] = Array.isArray(job) ? job : []
    const fields = new Map<string, unknown>(fieldsRead.map((field, at) => [field, texts[at]]))
    return { id: String(id), fields: fields.set('ats', starts), claim }
  })
  return { ...takenAllOf(found, left === 1), nextDue: nextDue(Number(due)) }
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

/** Records those, and answers for each when its step is done: false where BullMQ's own script has to see to it. */
export function completeAll(store: Store, batch: readonly Completed[]): readonly Promise<boolean>[] {
  const { scripts, keys, own, base, link, now } = store
  const used = [keys.active, keys.completed, keys.stalled, own.expires]
  const entries = batch.map(({ held, outcome }) => [
    held.message.id,
    held.token,
    // As BullMQ stores what a job returns.
    JSON.stringify(outcome.result),
    held.moves + 1,
    outcome.expiresAt,
  ])
  const answers = inSteps(entries, (step) =>
    link.use(() => scripts.completeAll(used, [base, now(), ...step.flat()])),
  )
  return answers.map((answer) => answer.then((value) => value === 0))
}

/** How long nobody can store a task again that has run and was deleted: who got no answer may try it again. */
export const rememberedMs = 600_000

/** Deletes those that are done and may go by `due`, with every note of them. Answers for each when its step is done: false where something else has to see to it. */
export function deleteAll(store: Store, ids: readonly string[], due: number): readonly Promise<boolean>[] {
  const { scripts, keys, own, base, link, now } = store
  const used = [keys.completed, own.expires, own.ids, own.parked, own.cancelled]
  const answers = inSteps(
    ids.map((id) => [id]),
    (step) =>
      link.use(() => scripts.deleteAll(used, [base, now(), due, rememberedMs, takenAwayAt, ...step.flat()])),
  )
  return answers.map((answer) => answer.then((value) => value === 1))
}

type Entry = readonly (string | number)[]

/** Has `work` do the entries step by step, and answers for each what it has of that step's answer. */
function inSteps(
  entries: readonly Entry[],
  work: (step: readonly Entry[]) => Promise<unknown>,
): readonly Promise<unknown>[] {
  return stepsOf(entries).flatMap((step) => {
    const answer = work(step)
    return step.map(async (_, index) => {
      const answers = await answer
      return Array.isArray(answers) ? answers[index] : answers
    })
  })
}

function faultOf(work: Promise<unknown>): Promise<Error | undefined> {
  return work.then(() => undefined, asError)
}

function stepsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const steps: Entry[][] = []
  let length = Number.POSITIVE_INFINITY
  for (const entry of entries) {
    const added = entry.reduce<number>((sum, value) => sum + String(value).length, 0)
    const last = steps.at(-1)
    length += added
    if (last !== undefined && last.length < stepSize && length <= stepLength) last.push(entry)
    else {
      steps.push([entry])
      length = added
    }
  }
  return steps
}
