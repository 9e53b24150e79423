import type { Store } from './store.ts'

/**
 * The lists of parked and of cancelled tasks, which BullMQ knows as failed ones. An entry is dropped after its task has gone elsewhere; in between it may have been
 * parked again, by an idle worker within the same millisecond, which is then another entry, with a score of its own.
 */

/** The lists' entries of some tasks, as they were at one moment: their scores, by id. */
export interface Noted {
  readonly parked: ReadonlyMap<string, string>
  readonly cancelled: ReadonlyMap<string, string>
}

/** The score of a new entry: when, and no other's. */
export function scoreAt(time: number): number {
  return time + Math.random()
}

export async function notedOf({ link, own }: Store, ids: readonly string[]): Promise<Noted> {
  const [parked, cancelled] = await Promise.all(
    [own.parked, own.cancelled].map((key) => link.use((client) => client.zmscore(key, ...ids))),
  )
  return { parked: scoresOf(ids, parked), cancelled: scoresOf(ids, cancelled) }
}

/** Drops the entries that are still the same. */
export async function dropNoted({ link, own, scripts }: Store, { parked, cancelled }: Noted): Promise<void> {
  const drop = async (key: string, entries: ReadonlyMap<string, string>) => {
    if (entries.size > 0) await link.use(() => scripts.dropEntries([key], [...entries].flat()))
  }
  await Promise.all([drop(own.parked, parked), drop(own.cancelled, cancelled)])
}

/** What is left of the entries where only these ids are meant. */
export function only(
  entries: ReadonlyMap<string, string>,
  ids: Iterable<string>,
): ReadonlyMap<string, string> {
  const meant = new Set(ids)
  return new Map([...entries].filter(([id]) => meant.has(id)))
}

/** Members and scores as Redis gives them, in turn. */
export function entriesOf(found: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    found.flatMap((id, index) => (index % 2 === 0 ? [[id, found[index + 1] ?? ''] as const] : [])),
  )
}

function scoresOf(
  ids: readonly string[],
  scores: readonly (string | null)[] = [],
): ReadonlyMap<string, string> {
  return new Map(
    ids.flatMap((id, index) => {
      const score = scores[index]
      return score === null || score === undefined ? [] : [[id, score] as const]
    }),
  )
}
