/**
 * What every long-lived part offers: it is running when its constructor or opener has resolved, and stops when told.
 * `stop` may be called any number of times and resolves when nothing of the part is left running.
 */
export interface Stoppable {
  stop(): Promise<void>
}

/** Stops parts one after another, the last started first, going on when one fails; throws the first failure at the end. */
export async function stopAll(parts: readonly Stoppable[]): Promise<void> {
  const failures: unknown[] = []
  for (const part of parts.toReversed()) {
    try {
      await part.stop()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
