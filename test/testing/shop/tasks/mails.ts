import { asyncTask, currentTask, currentToken, currentUser, type Task } from 'macaron'
import type { Order } from '../apis/shop.gen.ts'

/** What the tasks have done, in order: the world outside. */
export const done: string[] = []

export const note = asyncTask(async function note(text: string) {
  done.push(text)
  return text.length
})

export const confirm = asyncTask(async function confirm(order: Order) {
  done.push(`${order.constructor.name} ${order.item} ${order.at.getFullYear()} for ${currentUser()?.sub}`)
  note.fire(`child of attempt ${currentTask()?.attempt}`)
})

/** Throws so many times. */
export const flaky = asyncTask(
  function flaky(failures: number) {
    const attempt = currentTask()?.attempt ?? 0
    done.push(`attempt ${attempt}`)
    note.fire(`fired by attempt ${attempt}`)
    if (attempt <= failures) throw new RangeError(`attempt ${attempt} is not enough`)
    return attempt
  },
  { retries: 2, backoff: { type: 'exponential', delay: '10s', jitter: 0 } },
)

export const charge = asyncTask(
  function charge(amount: number) {
    done.push(`charged ${amount}`)
    note.fire('receipt')
  },
  { atMostOnce: true },
)

export const hang = asyncTask(function hang() {
  return new Promise<void>(() => undefined)
})

export const again: Task<[], void> = asyncTask('again', () => {
  again.fire()
})

/** Waits for another task, as two executors would allow. */
export const waiter = asyncTask(async function waiter() {
  const length = await (await note.fire.now('awaited')).result()
  return length * 2
})

export const tokenTeller = asyncTask(function tokenTeller() {
  return currentToken()?.split('.').length
})
