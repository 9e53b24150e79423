import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * Hands connections to a child, the next one when it has said that it has the last: those that wait their turn when it dies are still their holder's. Node's own
 * queue of them forgets them then, open and never answered.
 */
export class Passing {
  readonly #process: ChildProcess
  readonly #waiting: Waiting[] = []
  #underWay = false
  #letGo: (() => void) | undefined
  #ended = false

  constructor(process: ChildProcess) {
    this.#process = process
  }

  /** False where the child can't be reached any more, or is to get no more. */
  pass(connection: Socket): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    if (this.#ended) resolve(false)
    else this.#waiting.push({ connection, passed: resolve })
    this.#passNext()
    return promise
  }

  /** Passes none but the one under way: the child is told to stop, and what comes after that is lost with it. Those that wait are free at once. */
  end(): void {
    this.#ended = true
    for (const { passed } of this.#waiting.splice(0)) passed(false)
  }

  /** The child has the last one, or could not receive it (it is out of file descriptors); or is gone, and may have read from it before: nobody else can serve it. */
  taken(): void {
    this.#letGo?.()
  }

  #passNext(): void {
    if (this.#underWay) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#underWay = true
    const done = (isPassed: boolean) => {
      next.passed(isPassed)
      this.#underWay = false
      this.#passNext()
    }
    this.#passNow(next.connection).then(done, () => {
      this.#letGo = undefined
      done(false)
    })
  }

  async #passNow(connection: Socket): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const letGo = () => {
      this.#letGo = undefined
      // This process's hold on it only: what the child has stays open.
      connection.destroy()
      resolve(true)
    }
    this.#letGo = letGo
    this.#process.send({ type: 'connection' }, connection, { keepOpen: true }, (error) => {
      if (error === null) return
      if (this.#letGo === letGo) this.#letGo = undefined
      resolve(false)
    })
    // Answered whether or not the connection has arrived: Node tells neither side of one that could not be received.
    this.#process.send({ type: 'passed' }, () => undefined)
    return await promise
  }
}

interface Waiting {
  readonly connection: Socket
  readonly passed: (isPassed: boolean) => void
}
