import type { Seal } from '../tasks/seal.ts'

/**
 * Opens sealed contexts and remembers the texts of the last ones: all tasks of one request carry the same. Texts, not objects, so that what one task
 * changes in its context another never sees.
 */
export class SealedTexts {
  readonly #seal: Pick<Seal, 'openContext' | 'sealsLike'>
  readonly #texts = new Map<string, string>()

  constructor(seal: Pick<Seal, 'openContext' | 'sealsLike'>) {
    this.#seal = seal
  }

  openContext(sealed: string): string {
    const known = this.#texts.get(sealed)
    if (known !== undefined) return known
    const text = this.#seal.openContext(sealed)
    if (this.#texts.size >= mostTexts) this.#texts.clear()
    this.#texts.set(sealed, text)
    return text
  }

  sealsLike(sealed: string): boolean {
    return this.#seal.sealsLike(sealed)
  }
}

const mostTexts = 64
