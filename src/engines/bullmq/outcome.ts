import type { MinimalJob } from 'bullmq'
import { asError, codeOf, TaskError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import type { Outcome } from '../engine.ts'
import { keepSettledMs } from '../losses.ts'
import { enqueue } from './enqueue.ts'
import { isStoreFailure } from './failures.ts'
import type { Held } from './held.ts'
import { errorFields, type Ledger } from './job.ts'
import { lockAgain } from './leases.ts'
import { stateOfTask, tidy } from './lookup.ts'
import { scoreAt } from './notes.ts'
import { suspectTime } from './record.ts'
import type { Store } from './store.ts'

/** An attempt of a task that this worker holds, as it ended. */
export interface Ended {
  readonly held: Held
  readonly outcome: Outcome
}

/**
 * Records how an attempt ended; false, and nothing changed, where its lease is no longer held. An outcome that can't be stored for what is in it
 * fails its task with that reason.
 * @throws StoreError where Redis fails: then it may be recorded or not.
 */
export async function record(store: Store, ended: Ended): Promise<boolean> {
  try {
    return await attemptTo(store, ended)
  } catch (error) {
    if (isStoreFailure(error) && codeOf(error) !== 'STORE_REFUSED') throw error
    const fault = asError(error)
    const isRecorded = await attemptTo(store, { ...ended, outcome: unstorable(fault, store.now()) })
    if (isRecorded) await hasFailed(store, ended, fault)
    return isRecorded
  }
}

async function hasFailed(store: Store, { held, outcome }: Ended, { message }: Error): Promise<void> {
  const { id: taskId, name } = held.message
  emit('outcome.unstorable', { taskId, name, outcome: outcome.kind, message })
  await forgetIntent(store, taskId)
}

/** Its children are to be fired anew, if it is run again. What became of it is recorded, whether this comes through or not. */
async function forgetIntent({ link, keys }: Store, id: string): Promise<void> {
  await link.use((client) => client.hdel(keys.job(id), 'intent')).catch(() => undefined)
}

/** Whether what was to be recorded is there, though the answer to it never came. */
export async function wasRecorded(store: Store, { held, outcome }: Ended): Promise<boolean> {
  const { keys, link } = store
  const [starts, progress] = await link.use((client) =>
    client.hmget(keys.job(held.message.id), 'ats', 'progress'),
  )
  if (outcome.kind !== 'done') return progress?.includes(JSON.stringify(held.token)) ?? false
  if (Number(starts) !== held.starts) return false
  return (await stateOfTask(store, held.message.id)) === 'done'
}

async function attemptTo(store: Store, ended: Ended, isAgain = false): Promise<boolean> {
  try {
    return await store.link.use(() => carryOut(store, ended))
  } catch (error) {
    if (!isLost(error)) throw error
    // Its lock has run out: that alone is no reason to lose it.
    if (!isAgain && (await lockAgain(store, ended.held))) return await attemptTo(store, ended, true)
    if (ended.outcome.kind === 'parked') await tidy(store, [ended.held.message.id])
    return false
  }
}

async function carryOut(store: Store, { held, outcome }: Ended): Promise<boolean> {
  switch (outcome.kind) {
    case 'done':
      return outcome.children.length > 0
        ? await completeWithChildren(store, held, outcome)
        : await complete(store, held, outcome)
    case 'failed':
    case 'parked':
      return await fail(store, held, outcome)
    case 'retry':
      return await repeat(store, held, outcome)
    case 'crashed':
      return await makeSuspect(store, held, outcome)
    case 'returned':
      return await putBack(store, held, outcome)
  }
}

type Of<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>

async function complete(store: Store, held: Held, { result, expiresAt }: Of<'done'>): Promise<boolean> {
  const { queue, link, own } = store
  await together(
    link.client.zadd(own.expires, expiresAt, held.message.id),
    queue.moveToCompleted(jobOf(held), result, false, held.token, false),
  )
  return true
}

/** Who dies after the intent was written leaves it to whoever gets the task next: adding a child again changes nothing. */
async function completeWithChildren(store: Store, held: Held, outcome: Of<'done'>): Promise<boolean> {
  const { scripts, keys, link } = store
  const { id } = held.message
  const { result, children, expiresAt } = outcome
  const intent = JSON.stringify({ result, children, expiresAt })
  const progress: Ledger = { ...held.ledger, intent: true }
  const isHeld = await scripts.writeIntent(
    [keys.job(id), keys.lock(id)],
    [held.token, intent, JSON.stringify(progress)],
  )
  if (isHeld !== 1)
    return (await lockAgain(store, held)) ? await completeWithChildren(store, held, outcome) : false
  await addChildren(store, children)
  await complete(store, held, outcome)
  await link.client.hdel(keys.job(id), 'intent')
  return true
}

async function addChildren(store: Store, children: readonly TaskMessage[]): Promise<void> {
  const answers = await enqueue(store, children)
  for (const [index, answer] of answers.entries()) {
    if (answer.stored) continue
    if (codeOf(answer.error) !== 'STORE_REFUSED') throw answer.error
    const name = children[index]?.name
    throw new TaskError(
      'CHILD_UNSTORABLE',
      `The task ${name} that it fired can't be stored: ${answer.error.message}`,
    )
  }
}

async function fail(store: Store, held: Held, outcome: Of<'failed' | 'parked'>): Promise<boolean> {
  const { queue, link, own, keys, scripts } = store
  const { id } = held.message
  const { error, expiresAt } = outcome
  const { failedReason = '', ...fields } = errorFields(error)
  const progress = ledgerAfter(held, outcome)
  const notes = [
    link.client.zadd(own.expires, expiresAt, id),
    // Before it is moved: who finds it moved finds its entry.
    outcome.kind === 'parked'
      ? link.client.zadd(own.parked, scoreAt(store.now()), id)
      : scripts.dropIfHeld([keys.lock(id), own.parked, own.cancelled], [held.token, id]),
    // Whoever has added a job of their own has noted no id.
    link.client.zadd(own.ids, 0, id),
  ]
  const moved = queue.moveToFailed(jobOf(held), failedReason, false, held.token, false, {
    ...fields,
    ...asFields(progress),
  })
  await together(...notes, moved)
  return true
}

async function repeat(store: Store, held: Held, outcome: Of<'retry'>): Promise<boolean> {
  const { runAt, error } = outcome
  const { queue } = store
  const { id } = held.message
  const now = store.now()
  const fieldsToUpdate = { ...errorFields(error), ...asFields(ledgerAfter(held, outcome)) }
  if (runAt <= now) await queue.retryJob(id, false, held.token, { fieldsToUpdate })
  else await queue.moveToDelayed(id, now, runAt - now, held.token, { skipAttempt: false, fieldsToUpdate })
  return true
}

async function makeSuspect(store: Store, held: Held, outcome: Of<'crashed'>): Promise<boolean> {
  // The workers that were lost under it still count.
  const { stc: _, ...fields } = asFields(ledgerAfter(held, outcome))
  return await standAlone(store, held, {
    // Who has died alone goes behind those that have not.
    since: outcome.crashes > 0 ? store.now() : dueAt(held),
    skipAttempt: false,
    fieldsToUpdate: { ...errorFields(outcome.error), ...fields },
  })
}

function dueAt({ message: { runAt, firedAt } }: Held): number {
  return Math.max(runAt, firedAt)
}

interface Standing {
  /** Behind those that stand there since an earlier time, ms since epoch. */
  readonly since: number
  readonly skipAttempt: boolean
  readonly fieldsToUpdate: Readonly<Record<string, string>>
}

/** Into the line of those that run alone. */
async function standAlone(
  { queue }: Store,
  { message, token }: Held,
  { since, ...options }: Standing,
): Promise<boolean> {
  const { id, priority } = message
  // As a delay from the beginning of time: one from now would be rounded, each time to another side.
  await queue.moveToDelayed(id, 0, suspectTime(priority, since), token, options)
  return true
}

async function putBack(store: Store, held: Held, { alone }: Of<'returned'>): Promise<boolean> {
  const { ledger, message, token } = held
  if (ledger.suspect || alone) {
    const suspect: Ledger = { ...ledger, suspect: true }
    const fieldsToUpdate = { progress: JSON.stringify(suspect) }
    return await standAlone(store, held, { since: dueAt(held), skipAttempt: true, fieldsToUpdate })
  }
  await store.queue.moveJobFromActiveToWait(message.id, token)
  return true
}

/** What its tools show of a move comes with it; a task that ends by itself forgets the workers that were lost under it. */
function asFields(ledger: Ledger): Readonly<Record<string, string>> {
  return { progress: JSON.stringify(ledger), stc: '0' }
}

function ledgerAfter(held: Held, outcome: Of<'failed' | 'parked' | 'retry' | 'crashed'>): Ledger {
  const { ledger, moves, token } = held
  const { kind, error } = outcome
  // Parked for anything else, it has not run.
  const hasRun = kind !== 'parked' || outcome.reason === 'poison' || outcome.reason === 'lost'
  const isPoison = kind === 'parked' && outcome.reason === 'poison'
  return {
    after: moves + 1,
    attempts: ledger.attempts + (hasRun ? 1 : 0),
    failures: ledger.failures + (kind === 'failed' || kind === 'retry' ? 1 : 0),
    crashes: kind === 'crashed' ? outcome.crashes : ledger.crashes + (isPoison ? 1 : 0),
    ...(kind === 'crashed' ? { suspect: true } : {}),
    ...(kind === 'parked' ? { reason: outcome.reason } : {}),
    ...(error.code === undefined ? {} : { code: error.code }),
    token,
  }
}

/** What BullMQ's moves read of a job. That it may be tried once keeps it from being tried again by BullMQ. */
function jobOf({ message }: Held): MinimalJob {
  const job: Pick<MinimalJob, 'id' | 'name' | 'data' | 'opts'> = {
    id: message.id,
    name: message.name,
    data: undefined,
    opts: { attempts: 1 },
  }
  // The rest is for the users of a worker of BullMQ's own.
  return job as MinimalJob
}

/** Waits for all, so that nobody is surprised by a failure after another. That a move is done already matters least: what goes with it may be missing. */
async function together(...work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work)
  const reasons = results.flatMap((result): unknown[] =>
    result.status === 'rejected' ? [result.reason] : [],
  )
  if (reasons.length > 0) throw reasons.findLast((reason) => !isLost(reason)) ?? reasons.at(-1)
}

/** BullMQ's own answers: no such job, no lock, another's lock, not among the running ones. */
function isLost(error: unknown): boolean {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'number' && [-1, -2, -3, -6].includes(code)
}

/** False where BullMQ says that it isn't there any more. */
export function orLost(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    (error: unknown) => {
      if (isLost(error)) return false
      throw error
    },
  )
}

function unstorable(error: Error, now: number): Outcome {
  const code = codeOf(error)
  const message = `The outcome of this attempt can't be stored: ${error.message}`
  return {
    kind: 'failed',
    error: code === undefined ? { message } : { code, message },
    expiresAt: now + keepSettledMs,
  }
}
