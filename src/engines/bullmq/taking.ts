import type { JobJson } from 'bullmq'
import type { Outcome } from '../engine.ts'
import { keepSettledMs, lossError, poisonAfter, suspectAfter } from '../losses.ts'
import type { Held } from './held.ts'
import { intentOf, ledgerOf, messageOf, noMessage, nothingYet, parsed } from './job.ts'
import type { Store } from './store.ts'

/** Taking jobs from Redis, and what becomes of one that was taken. */

/** A job as it was taken. */
export interface Taken {
  readonly held: Held
  /** Its data is not what we write. */
  readonly forged: boolean
}

export type Claim = Pick<Held, 'token' | 'number'>
/** Jobs as they were taken, how many there were that nobody can read, and whether others are known to be left. */
export interface TakenAll {
  readonly taken: readonly Taken[]
  readonly unreadable: number
  readonly isMore: boolean
}

type Job = Pick<
  JobJson,
  'id' | 'name' | 'data' | 'progress' | 'attemptsMade' | 'attemptsStarted' | 'stalledCounter'
>

export function takenOf(job: Job, claim: Claim): Taken {
  const { id, name, data, progress, attemptsMade, attemptsStarted, stalledCounter } = job
  const message = messageOf(id, name, data)
  const ledger = ledgerOf(progress, attemptsMade) ?? { ...nothingYet, after: attemptsMade }
  const held = {
    ...claim,
    message: message ?? noMessage(id, name),
    ledger,
    moves: attemptsMade,
    starts: attemptsStarted,
    losses: stalledCounter,
  }
  return { held, forged: message === undefined }
}

/** Takes the first suspect, if there is one. */
export async function takeSuspect(
  store: Store,
  claim: Claim,
  terms: readonly (string | number)[],
): Promise<TakenAll> {
  const { keys, scripts, base } = store
  const [from, lockMs, owner] = terms
  const values = [base, from ?? 0, store.now(), claim.token, lockMs ?? 0, owner ?? '']
  const reply = await store.link.use(() =>
    scripts.takeSuspect([keys.delayed, keys.active, keys.events], values),
  )
  if (!Array.isArray(reply)) return takenAllOf([], false)
  const [id, pairs]: unknown[] = reply
  return takenAllOf([{ id: String(id), fields: fieldsOf(pairs), claim }], false)
}

/** What is read of jobs that are taken, beside how often they were started (`ats`). */
export const fieldsRead = ['name', 'data', 'progress', 'atm', 'stc', 'opts', 'parent'] as const

/** A job by its fields in Redis, and the claim that took it. */
interface Found {
  readonly id: string
  readonly fields: ReadonlyMap<string, unknown>
  readonly claim: Claim
}

export function takenAllOf(found: readonly Found[], isMore: boolean): TakenAll {
  const taken = found.flatMap((one) => takenFrom(one) ?? [])
  return { taken, unreadable: found.length - taken.length, isMore }
}

/** Undefined where BullMQ could not read it. */
function takenFrom({ id, fields, claim }: Found): Taken | undefined {
  const text = (field: (typeof fieldsRead)[number] | 'ats') => String(fields.get(field) ?? '')
  if (!isReadable({ opts: text('opts'), progress: text('progress'), parent: text('parent') }))
    return undefined
  const job = {
    id,
    name: text('name'),
    data: text('data'),
    // What ledgerOf takes for nothing, where it isn't ours.
    progress: parsed(text('progress')) as JobJson['progress'],
    attemptsMade: Number(text('atm')),
    attemptsStarted: Number(text('ats')),
    stalledCounter: Number(text('stc')),
  }
  return takenOf(job, claim)
}

/** What BullMQ parses of a job: where it can't, it has taken the job and throws. */
export function isReadable(job: { opts: string; progress: string; parent: string }): boolean {
  const [opts, ...others] = [job.opts || '{}', job.progress || '0', job.parent || '{}'].map(parsed)
  return typeof opts === 'object' && opts !== null && others.every((part) => part !== undefined)
}

function fieldsOf(pairs: unknown): ReadonlyMap<string, string> {
  const texts = Array.isArray(pairs) ? pairs.map(String) : []
  return new Map(texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1] ?? '']] : [])))
}

/** What becomes of a task that was taken: run with others, run alone, or the outcome it has without being run. */
export type Fate = 'ordinary' | 'alone' | Outcome

export async function fateOf(store: Store, { held, forged }: Taken): Promise<Fate> {
  const { ledger, losses, message } = held
  const expiresAt = store.now() + keepSettledMs
  if (ledger.intent) {
    const intent = await readIntent(store, message.id)
    if (intent !== undefined) return { kind: 'done', ...intent }
  }
  if (forged || ledger.intent) return refusal(store.now())
  if (losses > 0 && message.atMostOnce)
    return { kind: 'parked', reason: 'lost', error: lossError('lost'), expiresAt }
  if (losses >= poisonAfter)
    return { kind: 'parked', reason: 'poison', error: lossError('poison'), expiresAt }
  return ledger.suspect || losses >= suspectAfter ? 'alone' : 'ordinary'
}

async function readIntent({ link, keys }: Store, id: string) {
  return intentOf(await link.use((client) => client.hget(keys.job(id), 'intent')))
}

export function refusal(now: number): Outcome {
  return { kind: 'parked', reason: 'refused', error: unreadable, expiresAt: now + keepSettledMs }
}

const unreadable = {
  code: 'REFUSED',
  message: 'What is stored of this task was not written by Macaron, or was altered since',
}
