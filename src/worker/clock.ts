/**
 * The system's monotonic clock in ms: CLOCK_MONOTONIC on Linux, mach time on macOS. Its zero is the same in every process of the machine, so a
 * time taken in the worker can be compared in an executor; setting the wall clock does not move it.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
