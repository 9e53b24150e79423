/** How long to wait before the next try of what has failed `failures` times in a row: 100 ms, doubled up to 5 s. */
export function growingPauseMs(failures: number): number {
  return Math.min(5_000, 100 * 2 ** Math.max(0, failures - 1))
}
