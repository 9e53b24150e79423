import type { JobJson } from 'bullmq'
import { asError, StoreError } from '../../core/errors.ts'
import type { TaskMessage } from '../../tasks/message.ts'
import type { EnqueueAnswer } from '../engine.ts'
import { lengthOf } from '../step-size.ts'
import { addAll } from './bulk.ts'
import { isStoreFailure } from './failures.ts'
import { dataOf, isMessage } from './job.ts'
import { msFor } from './link.ts'
import { replicated } from './replicas.ts'
import type { Store } from './store.ts'

/**
 * Stores messages, each with an answer of its own. All of them are on their way at once, in one write where they fit.
 * @throws StoreError where Redis has answered none of them.
 */
export async function enqueue(
  store: Store,
  batch: readonly TaskMessage[],
): Promise<readonly EnqueueAnswer[]> {
  if (batch.length === 0) return []
  const answers = await store.link.within(patienceFor(store, batch), addAndCopy(store, batch))
  const failures = answers.filter((answer) => !answer.stored && isStoreFailure(answer.error))
  const [first] = failures
  if (failures.length === batch.length && first?.stored === false && !isRefusal(first.error))
    throw first.error
  return answers
}

/** In ms. Who says nothing for long is given up sooner; this is for what goes on and on. */
function patienceFor({ now }: Store, batch: readonly TaskMessage[]): number {
  const time = now()
  const oneByOne = batch.filter(({ runAt }) => runAt > time).length
  return msFor(lengthOf(batch)) + oneByOne * slowestAddMs
}

/** BullMQ's way to add one job, on a busy machine. */
const slowestAddMs = 1

async function addAndCopy(store: Store, batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]> {
  const now = store.now()
  const isPlain = batch.every((message) => isStorable(message) && message.runAt <= now)
  const answers = await (isPlain ? addDue(store, batch) : addEach(store, batch, now))
  if (store.replicas > 0) await replicated(store)
  return answers
}

/** What is to run at once goes in few steps. */
async function addDue(store: Store, batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]> {
  const faults = await addAll(store, batch)
  return batch.map((message, index) => answerOf(message, faults[index]))
}

/** What is to run later goes one by one, by BullMQ. */
async function addEach(
  store: Store,
  batch: readonly TaskMessage[],
  now: number,
): Promise<readonly EnqueueAnswer[]> {
  const storable = batch.filter(isStorable)
  const due = storable.filter(({ runAt }) => runAt <= now)
  const later = storable.filter(({ runAt }) => runAt > now)
  const [dueAnswers, laterFaults] = await Promise.all([addDue(store, due), addLater(store, later, now)])
  const answers = new Map(due.map((message, index) => [message, dueAnswers[index]]))
  for (const [index, message] of later.entries()) answers.set(message, answerOf(message, laterFaults[index]))
  return batch.map((message) => answers.get(message) ?? answerOf(message, notStorable(message)))
}

async function addLater(
  store: Store,
  batch: readonly TaskMessage[],
  now: number,
): Promise<readonly (Error | undefined)[]> {
  if (batch.length === 0) return []
  const { link, queue } = store
  // Before the jobs themselves, and on the same connection: an id without a job is left out of lists.
  const noted = noteIds(store, batch)
  const added = batch.map((message) => {
    const job = link.use(() => queue.addJob(jobOf(message, now), message.id))
    return Promise.all([noted, job]).then(() => undefined, asError)
  })
  return await Promise.all(added)
}

async function noteIds({ link, own }: Store, batch: readonly TaskMessage[]): Promise<void> {
  const notes: Promise<unknown>[] = []
  // An array of any length is no list of arguments.
  for (let from = 0; from < batch.length; from += mostNoted) {
    const members = batch.slice(from, from + mostNoted).flatMap(({ id }) => [0, id])
    notes.push(link.use((client) => client.zadd(own.ids, ...members)))
  }
  await Promise.all(notes)
}

const mostNoted = 1_000

function answerOf(message: TaskMessage, fault: Error | undefined): EnqueueAnswer {
  if (fault === undefined) return stored
  return { stored: false, error: isStoreFailure(fault) ? fault : refused(message, fault) }
}

const stored: EnqueueAnswer = Object.freeze({ stored: true })

/** Times that are no numbers would be stored as something else. */
function isStorable(message: TaskMessage): boolean {
  const { priority, runAt, firedAt } = message
  return (
    isMessage(message) &&
    [runAt, firedAt].every(Number.isFinite) &&
    Number.isInteger(priority) &&
    priority >= 0 &&
    priority <= mostPriority
  )
}

const mostPriority = 2_097_151

/** BullMQ counts a delay from the time of its job. */
function jobOf(message: TaskMessage, now: number): JobJson {
  const { id, name, priority, runAt } = message
  const options = { delay: runAt - now, ...(priority > 0 ? { priority } : {}) }
  return { ...newJob, id, name, data: dataOf(message), opts: options, timestamp: now }
}

const newJob = {
  progress: 0,
  attemptsMade: 0,
  attemptsStarted: 0,
  stalledCounter: 0,
  failedReason: '',
  returnvalue: '',
}

function isRefusal(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'STORE_REFUSED'
}

function notStorable({ name, id }: TaskMessage): StoreError {
  return new StoreError(
    'STORE_REFUSED',
    `The task ${name} (${id}) can't be stored: its priority or one of its times is no such thing`,
  )
}

function refused({ name, id }: TaskMessage, error: Error): StoreError {
  return new StoreError('STORE_REFUSED', `The task ${name} (${id}) can't be stored: ${error.message}`, {
    cause: error,
  })
}
