/** A test, or whatever else has an end. */
export interface Ending {
  after(end: () => void | Promise<void>): void
}

const ends = new WeakMap<Ending, (() => void | Promise<void>)[]>()

/** Cleans up after a test: the last thing made goes first, and one that fails to go keeps none of the others. */
export function atEnd(test: Ending, end: () => void | Promise<void>): void {
  const known = ends.get(test)
  if (known !== undefined) {
    known.push(end)
    return
  }
  const own = [end]
  ends.set(test, own)
  test.after(() => runAll(own))
}

async function runAll(own: readonly (() => void | Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const end of own.toReversed()) {
    try {
      await end()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Cleaning up failed')
}
