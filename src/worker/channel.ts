import type { Outcome } from '../engines/engine.ts'
import type { StoredError, TaskMessage } from '../tasks/message.ts'

/**
 * What worker and executors say to each other over the child-process channel, at most one message a turn each way. Structured clone writes the keys of
 * every object it meets, so attempts and outcomes travel as columns: half the time of a list of objects.
 */

/** One attempt as an executor gets it. */
export interface Order {
  /** Counted from 1 for each executor; orders are begun in this order. */
  readonly number: number
  readonly message: TaskMessage
  readonly attempt: number
  readonly failures: number
}

/** How one order has ended. */
export interface Ended {
  readonly number: number
  readonly outcome: Outcome
  /** How long it ran. */
  readonly ms: number
}

/** A task that was parked because a process died under it. */
export interface ParkedTask {
  readonly message: TaskMessage
  /** How often it was run. */
  readonly attempt: number
  readonly error: StoredError
}

/** Worker to executor, besides the supervisor's `stop` and `kill`. */
export type ToExecutor =
  /** `startBy`: by the monotonic clock, in ms; what has not been begun by then must be handed back. */
  | { readonly type: 'run'; readonly startBy: number; readonly orders: OrderColumns }
  /** Asks that the service be told of a task that was parked without an executor's doing. */
  | { readonly type: 'parked'; readonly parked: ParkedTask }
  /** Asks for a sign of life. */
  | { readonly type: 'ping' }

/** Executor to worker, besides the supervisor's `ready`, which carries the names of its tasks. */
export type FromExecutor =
  /** `back`: orders that were not begun and never will be. */
  | { readonly type: 'report'; readonly ended: EndedColumns; readonly back: readonly number[] }
  /** A sign of life; the memory it uses. */
  | { readonly type: 'alive'; readonly rssMiB: number }
  /** It will exit now, for an error that no attempt has caught; `task` is the name of the one it came from, where that is known. */
  | { readonly type: 'crash'; readonly error: StoredError; readonly task: string | undefined }

export interface Ready {
  readonly type: 'ready'
  /** The names of the tasks it knows. */
  readonly names: readonly string[]
  /** The ids of the keys it opens seals with. */
  readonly keys: readonly string[]
}

type Columns<Row> = { readonly [Key in keyof Row]: readonly Row[Key][] }

export type OrderColumns = Columns<TaskMessage & Omit<Order, 'message'>>

export function packOrders(orders: readonly Order[]): OrderColumns {
  return {
    number: orders.map((order) => order.number),
    attempt: orders.map((order) => order.attempt),
    failures: orders.map((order) => order.failures),
    id: orders.map(({ message }) => message.id),
    name: orders.map(({ message }) => message.name),
    queue: orders.map(({ message }) => message.queue),
    priority: orders.map(({ message }) => message.priority),
    runAt: orders.map(({ message }) => message.runAt),
    firedAt: orders.map(({ message }) => message.firedAt),
    atMostOnce: orders.map(({ message }) => message.atMostOnce),
    args: orders.map(({ message }) => message.args),
    options: orders.map(({ message }) => message.options),
    context: orders.map(({ message }) => message.context),
  }
}

export function unpackOrders(columns: OrderColumns): Order[] {
  return columns.number.map((number, row) => ({
    number,
    attempt: at(columns.attempt, row),
    failures: at(columns.failures, row),
    message: {
      id: at(columns.id, row),
      name: at(columns.name, row),
      queue: at(columns.queue, row),
      priority: at(columns.priority, row),
      runAt: at(columns.runAt, row),
      firedAt: at(columns.firedAt, row),
      atMostOnce: at(columns.atMostOnce, row),
      args: at(columns.args, row),
      options: at(columns.options, row),
      context: at(columns.context, row),
    },
  }))
}

/** `done` outcomes as columns, since nearly all are; the others as they are. */
export interface EndedColumns {
  readonly number: readonly number[]
  readonly ms: readonly number[]
  readonly result: readonly string[]
  readonly expiresAt: readonly number[]
  /** By row; most tasks fire nothing. */
  readonly children: ReadonlyMap<number, readonly TaskMessage[]>
  readonly others: readonly Ended[]
}

export function packEnded(ended: readonly Ended[]): EndedColumns {
  const number: number[] = []
  const ms: number[] = []
  const result: string[] = []
  const expiresAt: number[] = []
  const children = new Map<number, readonly TaskMessage[]>()
  const others: Ended[] = []
  for (const one of ended) {
    const { outcome } = one
    if (outcome.kind !== 'done') {
      others.push(one)
      continue
    }
    if (outcome.children.length > 0) children.set(number.length, outcome.children)
    number.push(one.number)
    ms.push(one.ms)
    result.push(outcome.result)
    expiresAt.push(outcome.expiresAt)
  }
  return { number, ms, result, expiresAt, children, others }
}

export function unpackEnded({ number, ms, result, expiresAt, children, others }: EndedColumns): Ended[] {
  const done = number.map(
    (order, row): Ended => ({
      number: order,
      ms: at(ms, row),
      outcome: {
        kind: 'done',
        result: at(result, row),
        expiresAt: at(expiresAt, row),
        children: children.get(row) ?? [],
      },
    }),
  )
  return others.length === 0 ? done : [...done, ...others]
}

function at<Value>(column: readonly Value[], row: number): Value {
  // All columns of a message are made with the same length.
  return column[row] as Value
}
