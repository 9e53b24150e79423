import { tellParent } from '../supervisor/parent.ts'
import { type Ended, type FromExecutor, packEnded } from './channel.ts'

/** What the executor has to say, gathered and sent once a turn. */
export class Reports {
  #ended: Ended[] = []
  #back: number[] = []
  #planned = false
  #unwritten = 0
  #whenWritten: (() => void) | undefined

  ended(ended: Ended): void {
    this.#ended.push(ended)
    this.#plan()
  }

  back(number: number): void {
    this.#back.push(number)
    this.#plan()
  }

  /** Sends at once. */
  tell(message: FromExecutor): void {
    this.#unwritten++
    tellParent(message, () => this.#written())
  }

  /** Sends what has gathered. Also works while the process exits. */
  flush(): void {
    this.#planned = false
    if (this.#ended.length === 0 && this.#back.length === 0) return
    const ended = packEnded(this.#ended)
    const back = this.#back
    this.#ended = []
    this.#back = []
    this.tell({ type: 'report', ended, back })
  }

  /** Resolves when all that was said has left this process. */
  async written(): Promise<void> {
    this.flush()
    if (this.#unwritten === 0) return
    await new Promise<void>((resolve) => {
      this.#whenWritten = resolve
    })
  }

  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    setImmediate(() => this.flush())
  }

  #written(): void {
    this.#unwritten--
    if (this.#unwritten === 0) this.#whenWritten?.()
  }
}
