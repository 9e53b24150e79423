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

type Claim = Pick<Held, 'token' | 'number'>
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
): Promise<Taken | undefined> {
  const { keys, scripts, base } = store
  const [from, lockMs, owner] = terms
  const values = [base, from ?? 0, store.now(), claim.token, lockMs ?? 0, owner ?? '']
  const reply = await store.link.use(() =>
    scripts.takeSuspect([keys.delayed, keys.active, keys.events], values),
  )
  if (!Array.isArray(reply)) return undefined
  const [id, pairs]: unknown[] = reply
  const fields = fieldsOf(pairs)
  const job = {
    id: String(id),
    name: fields.get('name') ?? '',
    data: fields.get('data') ?? '',
    // What ledgerOf takes for nothing, where it isn't ours.
    progress: parsed(fields.get('progress') ?? '') as JobJson['progress'],
    attemptsMade: Number(fields.get('atm') ?? 0),
    attemptsStarted: Number(fields.get('ats') ?? 0),
    stalledCounter: Number(fields.get('stc') ?? 0),
  }
  return takenOf(job, claim)
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
