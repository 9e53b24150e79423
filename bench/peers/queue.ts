/** What the queue peers have in common, as far as the benches need it. */
export interface PeerQueue {
  /** Stores `count` tasks as fast as the library can; resolves when they are stored. */
  fill(count: number, payload: Payload): Promise<void>
  /** Stores one task, awaited. */
  add(payload: Payload): Promise<unknown>
  /** Starts to run tasks, so many at a time. */
  work(concurrency: number, run: (payload: Payload) => void | Promise<void>): Promise<void>
}

/** About 150 bytes as JSON. */
export interface Payload {
  readonly name: string
  readonly email: string
  readonly note: string
  /** When it was fired, on the system's monotonic clock in ns; where the time until its start is asked for. */
  readonly firedAt?: string
}

export const payload: Payload = {
  name: 'Ada Lovelace',
  email: 'ada.lovelace@example.com',
  note: 'The Analytical Engine weaves algebraic patterns just as the loom weaves leaves.',
}

/** `payloads` of the same kind. */
export function copies(count: number, payload: Payload): readonly Payload[] {
  return Array.from({ length: count }, () => payload)
}
