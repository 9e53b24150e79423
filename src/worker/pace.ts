/**
 * How long tasks take, by name, as a moving average. Decides how many may be on their way to an executor beyond what it runs at a time: only tasks known
 * to be short, so that none waits long behind another.
 */
export class Pace {
  readonly #names = new Map<string, Average>()
  readonly #all: Average = { ms: 0, count: 0 }

  record(name: string, ms: number): void {
    add(this.#all, ms)
    add(this.#named(name), ms)
  }

  /** What a run of this task is expected to take, in ms; Infinity while too little is known. */
  expected(name: string): number {
    return expectation(this.#names.get(name))
  }

  /** The same for a task whose name is not known yet. */
  typical(): number {
    return expectation(this.#all)
  }

  #named(name: string): Average {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    if (this.#names.size >= mostNames) this.#names.clear()
    const made = { ms: 0, count: 0 }
    this.#names.set(name, made)
    return made
  }
}

interface Average {
  ms: number
  count: number
}

function add(average: Average, ms: number): void {
  average.count++
  average.ms += (ms - average.ms) / Math.min(average.count, window)
}

function expectation(average: Average | undefined): number {
  return average === undefined || average.count < leastRuns ? Number.POSITIVE_INFINITY : average.ms
}

const window = 16
const leastRuns = 5
const mostNames = 10_000
