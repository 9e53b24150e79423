/** The key under which replies of a status are declared: itself, its class (`4XX`), or `default`; undefined where they are not. */
export function declaredStatus(
  replies: Readonly<Record<string, unknown>>,
  status: number,
): string | undefined {
  const exact = String(status)
  if (exact in replies) return exact
  return [`${exact[0]}XX`, 'default'].find((key) => key in replies)
}
