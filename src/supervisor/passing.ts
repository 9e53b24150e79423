import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * Hands connections to a child, the next one when it has said that it has the last: those that wait their turn when it dies are still their holder's. Node's own
 * queue of them forgets them then, open and never answered.
 */
export class Passing {
  readonly #process: ChildProcess
  #last: Promise<unknown> = Promise.resolve()
  #letGo: (() => void) | undefined

  constructor(process: ChildProcess) {
    this.#process = process
  }

  /** False where the child can't be reached any more. */
  pass(connection: Socket): Promise<boolean> {
    const passed = this.#last.then(() => this.#passNow(connection))
    this.#last = passed
    return passed
  }

  /** The child has the last one; or is gone, and may have read from it before: nobody else can serve it. */
  taken(): void {
    this.#letGo?.()
  }

  #passNow(connection: Socket): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#letGo = () => {
      this.#letGo = undefined
      // This process's hold on it only: what the child has stays open.
      connection.destroy()
      resolve(true)
    }
    this.#process.send({ type: 'connection' }, connection, { keepOpen: true }, (error) => {
      if (error === null) return
      this.#letGo = undefined
      resolve(false)
    })
    return promise
  }
}
