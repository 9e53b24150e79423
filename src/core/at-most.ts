/** Resolves with `work`, or without it after `ms`. Rejects where `work` does by then. */
export async function waitAtMost(ms: number, work: Promise<unknown> | undefined): Promise<void> {
  const late = Promise.withResolvers<void>()
  const alarm = setTimeout(late.resolve, ms)
  await Promise.race([work, late.promise]).finally(() => clearTimeout(alarm))
}
