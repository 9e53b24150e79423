import type { TaskMessage } from '../tasks/message.ts'

/** Of how many tasks to take one step next: twice as many as before, fewer where that took long since they were large for this network. */
export class StepSize {
  readonly #first: number
  readonly #most: number
  #now: number

  constructor(first: number, most: number) {
    this.#first = first
    this.#most = most
    this.#now = first
  }

  get now(): number {
    return this.#now
  }

  /** A step of `count`, so many characters in all, was answered after so many ms. What is short takes long for the way alone, however few go together. */
  took(count: number, length: number, ms: number): void {
    const isTooLarge = ms > slowMs && length > shortLength
    this.#now = isTooLarge ? Math.max(1, count >> 1) : Math.min(this.#now * 2, this.#most)
  }

  /** No answer has come. */
  failed(): void {
    this.#now = 1
  }

  /** Nothing is left to take; what comes later is begun anew. */
  reset(): void {
    this.#now = this.#first
  }
}

const slowMs = 1_000
const shortLength = 65_536

/** How many characters of messages go to the store or come from it. */
export function lengthOf(messages: readonly TaskMessage[]): number {
  return messages.reduce((sum, { args, context }) => sum + args.length + context.length, 0)
}
