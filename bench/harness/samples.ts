/** Figures taken in turn, round by round, and what they come to. */

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

/** Figures by what was measured, in the order of the rounds. */
export class Samples {
  readonly #figures = new Map<string, number[]>()

  add(what: string, figure: number): void {
    const figures = this.#figures.get(what) ?? []
    figures.push(figure)
    this.#figures.set(what, figures)
  }

  has(what: string): boolean {
    return this.#figures.has(what)
  }

  of(what: string): Summary {
    return summary(this.#figuresOf(what))
  }

  /** One divided by the other, round by round: what both suffer in a round cancels out. */
  ratio(what: string, base: string): Summary {
    return this.#together(what, base, (one, other) => one / other)
  }

  /** One less the other, round by round. */
  difference(what: string, base: string): Summary {
    return this.#together(what, base, (one, other) => one - other)
  }

  /** The name whose median is highest. */
  best(names: readonly string[]): string | undefined {
    return names
      .filter((name) => this.has(name))
      .toSorted((one, other) => this.of(other).median - this.of(one).median)[0]
  }

  #together(what: string, base: string, join: (one: number, other: number) => number): Summary {
    const others = this.#figuresOf(base)
    return summary(
      this.#figuresOf(what).flatMap((one, round) =>
        others.slice(round, round + 1).map((other) => join(one, other)),
      ),
    )
  }

  #figuresOf(what: string): readonly number[] {
    return this.#figures.get(what) ?? []
  }
}

/** Median and bounds; NaN where nothing was measured. */
export function summary(figures: readonly number[]): Summary {
  const sorted = figures.toSorted((one, other) => one - other)
  return {
    median: percentile(sorted, 0.5),
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    count: sorted.length,
  }
}

/** The figure below which `share` of all lie, of figures in ascending order. */
export function percentile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share
  const [below, above] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN]
  return below + (above - below) * (at - Math.floor(at))
}
