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

/** What is read of jobs that are taken, beside how often they were started (`ats`). Their order is known to `bulk.ts` too. */
export const fieldsRead = ['name', 'data', 'progress', 'atm', 'stc', 'opts', 'parent'] as const

/** A job by its fields in Redis, and the claim that took it. */
export interface Found {
  readonly id: string
  readonly fields: { readonly [Field in (typeof fieldsRead)[number] | 'ats']?: unknown }
  readonly claim: Claim
}

export function takenAllOf(found: readonly Found[], isMore: boolean): TakenAll {
  const taken = found.flatMap((one) => takenFrom(one) ?? [])
  return { taken, unreadable: found.length - taken.length, isMore }
}

/** Undefined where BullMQ could not read it. */
function takenFrom({ id, fields, claim }: Found): Taken | undefined {
  const [opts, progress, parent] = [textOf(fields.opts), textOf(fields.progress), textOf(fields.parent)]
  if (!isReadable({ opts, progress, parent })) return undefined
  const job = {
    id,
    name: textOf(fields.name),
    data: textOf(fields.data),
    // What ledgerOf takes for nothing, where it isn't ours.
    progress: parsed(progress) as JobJson['progress'],
    attemptsMade: Number(fields.atm ?? 0),
    attemptsStarted: Number(fields.ats ?? 0),
    stalledCounter: Number(fields.stc ?? 0),
  }
  return takenOf(job, claim)
}

function textOf(field: unknown): string {
  return typeof field === 'string' ? field : String(field ?? '')
}

/** What BullMQ parses of a job: where it can't, it has taken the job and throws. */
export function isReadable(job: { opts: string; progress: string; parent: string }): boolean {
  return (
    isNothingOr(job.opts, isObject) && isNothingOr(job.progress, isJson) && isNothingOr(job.parent, isJson)
  )
}

/** Nearly all are empty. */
function isNothingOr(text: string, is: (text: string) => boolean): boolean {
  return text === '' || text === '{}' || is(text)
}

function isJson(text: string): boolean {
  return parsed(text) !== undefined
}

function isObject(text: string): boolean {
  const value = parsed(text)
  return typeof value === 'object' && value !== null
}

function fieldsOf(pairs: unknown): Found['fields'] {
  const texts = Array.isArray(pairs) ? pairs.map(String) : []
  return Object.fromEntries(
    texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1] ?? '']] : [])),
  )
}

/** What becomes of a task that was taken: run with others, run alone, or the outcome it has without being run. */
export type Fate = 'ordinary' | 'alone' | Outcome

/** Undefined where only the job's intent can tell. */
export function fateOf(store: Store, { held, forged }: Taken): Fate | undefined {
  const { ledger, losses, message } = held
  if (ledger.intent) return undefined
  if (forged) return refusal(store.now())
  if (losses > 0 && message.atMostOnce) return parked(store, 'lost')
  if (losses >= poisonAfter) return parked(store, 'poison')
  return ledger.suspect || losses >= suspectAfter ? 'alone' : 'ordinary'
}

function parked(store: Store, reason: 'lost' | 'poison'): Outcome {
  return { kind: 'parked', reason, error: lossError(reason), expiresAt: store.now() + keepSettledMs }
}

/** Of one with an intent: nothing of it is run. @throws StoreError. */
export async function intendedFate(store: Store, { held }: Taken): Promise<Fate> {
  const intent = await readIntent(store, held.message.id)
  return intent === undefined ? refusal(store.now()) : { kind: 'done', ...intent }
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
