import { Watchers } from '../watchers.ts'
import { closed } from './failures.ts'
import { glanceAt, readStandings } from './lookup.ts'
import type { Reader } from './reader.ts'

/** Watchers of a store: they look where there has been a commit. */
export function watchersOf(reader: Reader): Watchers {
  return new Watchers({
    version: () => reader.version(),
    glanceAt: (ids) => reader.read((sql) => glanceAt(sql, ids)),
    read: (ids) => reader.read((sql) => readStandings(sql, ids)),
    closed,
  })
}
