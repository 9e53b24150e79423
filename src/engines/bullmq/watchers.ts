import { Watchers } from '../watchers.ts'
import { closed } from './failures.ts'
import { glanceAt, readStandings } from './lookup.ts'
import type { Store } from './store.ts'

/** Watchers of a service's tasks: only a look tells whether anything has changed. */
export function watchersOf(store: Store): Watchers {
  return new Watchers({
    version: () => undefined,
    glanceAt: (ids) => glanceAt(store, ids),
    read: (ids) => readStandings(store, ids),
    closed,
  })
}
