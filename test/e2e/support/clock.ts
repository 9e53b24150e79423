/** The system's monotonic clock in ms, the one that the fixtures' tasks write down. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}
