import { setTimeout as delay } from 'node:timers/promises'
import { asError } from '../../core/errors.ts'
import { lengthOf, StepSize } from '../step-size.ts'
import { takeAll } from './bulk.ts'
import { isStoreFailure } from './failures.ts'
import { HandingOut, type HandingOutOptions } from './handing-out.ts'
import { type Holding, lockMs } from './held.ts'
import type { ParkedTasks } from './parked-tasks.ts'
import { suspectsFrom } from './record.ts'
import { type TakenAll, takenOf, takeSuspect } from './taking.ts'

export interface ClaimsOptions extends HandingOutOptions {
  /** Told that a claim was not answered, or not so that it can be read: it may have been made. */
  onDoubt(): void
  /** Parked tasks that this worker can run. */
  readonly parked: Pick<ParkedTasks, 'count' | 'putBack' | 'idle'>
}

/** Most jobs asked for at once, and how many where it isn't known that so many wait. */
const mostAtOnce = 100
const fewAtOnce = 8
const longestSleepMs = 1_000
/** How often it is looked whether there are suspects of other workers. */
const suspectsEveryMs = 100
const retryMs = 250
/** As long as the leases surely hold: large tasks may be on their way for so long. */
const takenWithinMs = lockMs - 5_000

/**
 * Takes tasks as long as there is room for them: many at once, each with a token of its own. When none is left it sleeps until BullMQ tells of one, the
 * next scheduled one is due, or a second has passed.
 */
export class Claims {
  readonly #options: ClaimsOptions
  readonly #hands: HandingOut
  #claiming = false
  #working: Promise<void> | undefined
  readonly #steps = new StepSize(fewAtOnce, mostAtOnce)
  /** How often this worker has told of suspects: one may come while it is asked for them. */
  #told = 0
  #suspectsAt = 0
  #dueAt = Number.POSITIVE_INFINITY
  #awake: (() => void) | undefined
  #wanted = false
  #listening = false

  constructor(options: ClaimsOptions) {
    this.#options = options
    this.#hands = new HandingOut(options)
  }

  begin(): void {
    this.#claiming = true
    this.#working = this.#work()
  }

  /** Something may be to do, or there is room. */
  request(): void {
    this.#wanted = true
    this.#awake?.()
  }

  /** The same, for suspects of this worker. */
  requestSuspects(): void {
    this.#told++
    this.#suspectsAt = 0
    this.request()
  }

  /** Claims nothing more; resolves when the last leases are handed out. */
  async pause(): Promise<void> {
    this.#claiming = false
    this.request()
    await this.#working
  }

  async #work(): Promise<void> {
    // Never before `consume` has resolved.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#claiming) {
      this.#wanted = false
      const mayBeMore = await this.#turn()
      if (!mayBeMore && this.#claiming && !this.#wanted) await this.#sleep()
    }
  }

  /** Whether more may wait that there is room for. */
  async #turn(): Promise<boolean> {
    try {
      // In this order: a task that comes to an idle worker need not wait for the look at suspects.
      const moreOthers = await this.#takeOthers()
      return (await this.#takeSuspects()) || moreOthers
    } catch (error) {
      this.#steps.failed()
      this.#options.trouble.failed(error)
      await delay(retryMs)
      return true
    }
  }

  /** One at a time: there are few, and few are run at a time. */
  async #takeSuspects(): Promise<boolean> {
    const { alone } = this.#options.consumer.slots()
    if (!this.#claiming || alone <= 0 || performance.now() < this.#suspectsAt) return false
    const told = this.#told
    const { taken } = await this.#take(1, (claims) => claims.map((claim) => this.#askSuspect(claim)))
    if (taken.length === 0 && told === this.#told) this.#suspectsAt = performance.now() + suspectsEveryMs
    await this.#hands.handOut(taken)
    return taken.length > 0
  }

  async #takeOthers(): Promise<boolean> {
    const { ordinary } = this.#options.consumer.slots()
    const { parked } = this.#options
    const wish = Math.min(ordinary, Math.max(parked.count, this.#steps.now))
    if (wish <= 0) return false
    if (parked.count > 0) await parked.putBack(wish)
    const began = performance.now()
    const { taken, isMore } = await this.#take(wish, (claims, isOver) => this.#askNext(claims, isOver))
    const ms = performance.now() - began
    if (isMore) this.#steps.took(wish, lengthOf(taken.map(({ held }) => held.message)), ms)
    else this.#steps.reset()
    await this.#hands.handOut(taken)
    return isMore
  }

  /** Asks for so many at once. What was taken before a failure is handed out all the same; nothing is asked for that nobody waits for any more. */
  async #take(
    count: number,
    ask: (claims: readonly Asked[], isOver: () => boolean) => readonly Promise<TakenAll>[],
  ): Promise<Pick<TakenAll, 'taken' | 'isMore'>> {
    const { store, holding, trouble } = this.#options
    const claims = Array.from({ length: count }, () => holding.ask())
    let isOver = false
    const answers = await store.link.ends(
      takenWithinMs,
      ask(claims, () => isOver),
    )
    isOver = true
    const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const taken = given.flatMap((one) => one.taken)
    for (const { held } of taken) holding.add(held)
    for (const { token } of claims) holding.answered(token)
    const failures = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [asError(answer.reason)] : [],
    )
    if (failures.length > 0 || given.some(({ unreadable }) => unreadable > 0)) this.#options.onDoubt()
    // Anything else is a job that can't be read, which was taken all the same.
    const failure = failures.find(isStoreFailure)
    if (failure === undefined) trouble.worked()
    else if (taken.length > 0) trouble.failed(failure)
    else throw failure
    return { taken, isMore: given.some((one) => one.isMore) }
  }

  async #askSuspect(claim: Asked): Promise<TakenAll> {
    const { store, owner } = this.#options
    return await takeSuspect(store, claim, [suspectsFrom, lockMs, owner])
  }

  /** In one step, or where that takes none since something is due, behind BullMQ, which brings in what is and takes the first. */
  #askNext(claims: readonly Asked[], isOver: () => boolean): readonly Promise<TakenAll>[] {
    const { store, owner } = this.#options
    const [first, ...others] = claims
    if (first === undefined) return []
    const all = takeAll(store, claims, owner)
    const one = all.then(({ nextDue }) =>
      nextDue === undefined && !isOver() ? this.#askOne(first) : noneTaken,
    )
    const rest = one.then(({ taken }) =>
      taken.length > 0 && !isOver() ? takeAll(store, others, owner) : noneTaken,
    )
    return [all.then((answer) => this.#note(answer)), one, rest]
  }

  #note(answer: Awaited<ReturnType<typeof takeAll>>): TakenAll {
    this.#dueAt = answer.nextDue ?? this.#dueAt
    return answer
  }

  async #askOne(claim: Asked): Promise<TakenAll> {
    const { store, queue, owner } = this.#options
    const [job, id, , dueAt] = await store.link.use(() => queue.moveToActive(claim.token, owner))
    // The fields of a job don't hold its id.
    if (job) return { taken: [takenOf({ ...job, id: String(id) }, claim)], unreadable: 0, isMore: false }
    this.#dueAt = typeof dueAt === 'number' && dueAt > 0 ? dueAt : Number.POSITIVE_INFINITY
    return noneTaken
  }

  async #sleep(): Promise<void> {
    const { consumer, store } = this.#options
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => resolve()
    this.#awake = wake
    // Only who has room listens, and looks for what is due: what it hears nobody else does.
    const hasRoom = consumer.slots().ordinary > 0
    if (hasRoom) this.#listen()
    if (hasRoom) this.#options.parked.idle()
    const dueInMs = hasRoom ? Math.max(0, this.#dueAt - store.now()) : longestSleepMs
    const alarm = setTimeout(wake, Math.min(longestSleepMs, dueInMs))
    await promise
    clearTimeout(alarm)
    this.#awake = undefined
  }

  /** One wait at a time, on the connection that is there for it; it may outlast a sleep. */
  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    this.#options.queue
      .waitForJob(longestSleepMs / 1000)
      .then((told) => told !== null && this.request())
      .catch(() => delay(retryMs))
      .finally(() => {
        this.#listening = false
      })
  }
}

type Asked = ReturnType<Holding['ask']>

const noneTaken: TakenAll = Object.freeze({ taken: [], unreadable: 0, isMore: false })
