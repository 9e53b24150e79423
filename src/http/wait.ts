/** A wait for something that somebody will tell, with an end of its own. One at a time. */
export class Wait {
  #resolve: (() => void) | undefined

  /** It has come; nobody needs to wait for it. */
  tell(): void {
    this.#resolve?.()
  }

  /** Resolves when that is told, or after `ms`. */
  async atMost(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#resolve = resolve
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
    this.#resolve = undefined
  }
}
