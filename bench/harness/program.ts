import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A program of ours in a process of its own, which answers questions over its channel. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', ({ id, answer }: { id: number; answer: unknown }) => {
      this.#waiting.get(id)?.resolve(answer)
      this.#waiting.delete(id)
    })
    child.on('exit', () => {
      for (const { reject } of this.#waiting.values())
        reject(new Error('the program ended before it answered'))
    })
  }

  /** Starts `entry` and waits for its first message. */
  static async start(entry: URL, args: readonly string[]): Promise<Program> {
    const child = fork(entry, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const program = new Program(child)
    const ended = once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`${entry.pathname} ended with ${code}`)),
    )
    await Promise.race([once(child, 'message'), ended])
    ended.catch(() => {})
    return program
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Asks for one thing; what the answer is depends on the question, so the caller says. */
  async ask<T = void>(ask: string, amount = 0): Promise<T> {
    this.#lastId += 1
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(this.#lastId, answer)
    this.#child.send({ id: this.#lastId, ask, amount })
    // Both ends of the channel are ours.
    return (await answer.promise) as T
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.kill()
    await once(this.#child, 'exit')
  }
}
