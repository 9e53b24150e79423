import { type Duration, milliseconds } from '../core/duration.ts'
import { MacaronError } from '../core/errors.ts'

/**
 * The clock of a service under test: it stands still until the test moves it. Delays, `at`, backoff, retention and the lifetime of tokens go by it; code of
 * yours that asks `Date.now()` sees the system's time.
 */
export class TestClock {
  readonly #whenMoved: () => Promise<unknown>
  #now: number

  /** `start` in ms since epoch; `whenMoved` does what time alone would have done by then. */
  constructor(start: number, whenMoved: () => Promise<unknown>) {
    this.#now = start
    this.#whenMoved = whenMoved
  }

  /** Ms since epoch. */
  now(): number {
    return this.#now
  }

  /** Moves on, by ms or text such as `'5m'`. Runs no task: `tasks.drain()` runs what is due then. @throws MacaronError `BAD_DURATION`. */
  advance(duration: Duration): Promise<void> {
    return this.advanceTo(this.#now + milliseconds(duration, 'The time to advance the clock by'))
  }

  /** Moves on to a time, such as that of a retry. @throws MacaronError `CLOCK_BACKWARDS` for one that has passed, or is none. */
  async advanceTo(time: Date | number): Promise<void> {
    const then = Number(time)
    if (!(then >= this.#now)) throw backwards(this.#now, then)
    this.#now = then
    await this.#whenMoved()
  }
}

function backwards(now: number, then: number): MacaronError {
  const asked = Number.isFinite(then) ? new Date(then).toISOString() : 'a time that is none'
  return new MacaronError(
    'CLOCK_BACKWARDS',
    `The clock of a service under test only moves on: it shows ${new Date(now).toISOString()}, and was asked to go to ${asked}`,
  )
}
