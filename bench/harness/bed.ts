import type { Redis } from './redis.ts'
import type { Row } from './report.ts'

/** What every bench is given, and what it gives back. */
export interface Bed {
  readonly rounds: number
  /** Length of one window of load, in seconds. */
  readonly seconds: number
  /** Undefined where this machine has no redis-server: peers that need one are left out. */
  readonly redis: Redis | undefined
  /** Says what is going on. */
  log(text: string): void
}

export interface Bench {
  readonly name: string
  /** The one question it answers. */
  readonly question: string
  run(bed: Bed): Promise<readonly Row[]>
}

/** Runs `one` for each round, and says which. */
export async function inRounds(bed: Bed, one: (round: number) => Promise<void>): Promise<void> {
  for (let round = 1; round <= bed.rounds; round += 1) {
    bed.log(`round ${round} of ${bed.rounds}`)
    await one(round)
  }
}
