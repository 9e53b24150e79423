import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'

/** What the tasks of the fixture services write down of their runs, a line for each moment, in a file that outlives every process. */
interface Moment extends Facts {
  readonly phase: 'start' | 'beat' | 'end'
  /** The system's monotonic clock in ms: the same in all processes. */
  readonly at: number
}

interface Facts {
  readonly task: string
  /** Given by the request that fired it. */
  readonly key: string
  readonly id: string
  readonly attempt: number
  readonly pid: number
  readonly callId: string
  readonly user?: string
  /** The code of the error that the fixture has met. */
  readonly error?: string
}

/** One run of one task, as far as it was written down. */
export interface Run extends Facts {
  readonly start: number
  /** The last moment it was seen. */
  readonly last: number
  readonly ended: boolean
}

/** The file they are written into. Each reading takes up only what is new since the one before: tests that wait read it a hundred times a second. */
export class RunsFile {
  readonly #path: string
  readonly #runs: Run[] = []
  /** Where in `#runs` the latest run of a task in a process is. */
  readonly #latest = new Map<string, number>()
  #read = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Moments put together to runs, in the order of their starts. */
  runs(): readonly Run[] {
    for (const line of this.#newLines()) this.#take(JSON.parse(line))
    return [...this.#runs]
  }

  #newLines(): readonly string[] {
    if (!existsSync(this.#path)) return []
    const file = openSync(this.#path, 'r')
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - this.#read)
      readSync(file, bytes, 0, bytes.length, this.#read)
      // What follows the last line feed is being written at this moment.
      const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1)
      this.#read += whole.length
      return whole.toString().split('\n').slice(0, -1)
    } finally {
      closeSync(file)
    }
  }

  #take({ phase, at, ...moment }: Moment): void {
    const place = `${moment.id} ${moment.pid}`
    const index = this.#latest.get(place)
    const run = index === undefined ? undefined : this.#runs[index]
    if (phase === 'start' || index === undefined || run === undefined) {
      const begun = { ...moment, start: at, last: at, ended: false }
      this.#latest.set(place, this.#runs.push(begun) - 1)
    } else {
      this.#runs[index] = { ...run, ...moment, last: at, ended: phase === 'end' }
    }
  }
}

export interface Tally {
  readonly answered: number
  readonly stored: number
  readonly runs: number
  /** Tasks that ran more than once. */
  readonly doubled: number
  /** Answered with a 2xx, and never run to the end. */
  readonly lost: readonly string[]
  /** Pairs of runs of one task whose times overlap. */
  readonly overlaps: number
}

/** The counts that the promises are about. `answered` are the keys whose request got a 2xx, `stored` how many tasks the store knows. */
export function tally(runs: readonly Run[], answered: readonly string[], stored: number): Tally {
  const byKey = Map.groupBy(runs, (run) => run.key)
  const finished = new Set(runs.filter((run) => run.ended).map((run) => run.key))
  return {
    answered: answered.length,
    stored,
    runs: runs.length,
    doubled: [...byKey.values()].filter((own) => own.length > 1).length,
    lost: answered.filter((key) => !finished.has(key)),
    overlaps: [...Map.groupBy(runs, (run) => run.id).values()].reduce((sum, own) => sum + overlapsOf(own), 0),
  }
}

/** One task in two places at the same time: what must never be. */
function overlapsOf(runs: readonly Run[]): number {
  let count = 0
  for (const [index, run] of runs.entries()) {
    for (const other of runs.slice(index + 1))
      if (other.start < run.last && run.start < other.last) count += 1
  }
  return count
}

export function describeTally(counts: Tally): string {
  const { answered, stored, runs, doubled, lost, overlaps } = counts
  return `answered 2xx ${answered}, stored ${stored}, runs ${runs}, doubled ${doubled}, lost ${lost.length}, at the same time in two places ${overlaps}`
}
