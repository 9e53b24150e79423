import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

/** Reads and writes a service's store from outside, the way an attacker, another version or another machine would. */
export function inStore<T>(folder: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(storeFile(folder), { timeout: 5000 })
  try {
    return use(database)
  } finally {
    database.close()
  }
}

export function storeFile(folder: string): string {
  return join(folder, '.macaron', 'tasks.db')
}

/** Changes what was stored of one message. */
export function alter(folder: string, id: string, changes: Readonly<Record<string, SQLInputValue>>): void {
  inStore(folder, (database) => {
    for (const [column, value] of Object.entries(changes)) {
      const { changes: count } = database
        .prepare(`UPDATE messages SET ${column} = ? WHERE id = ?`)
        .run(value, id)
      if (count !== 1) throw new Error(`No message ${id} to alter`)
    }
  })
}

/** One column of a stored message. */
export function stored(folder: string, id: string, column: string): string {
  return inStore(folder, (database) =>
    String(database.prepare(`SELECT ${column} FROM messages WHERE id = ?`).get(id)?.[column]),
  )
}

/** How many tasks a store holds that have not ended yet. */
export function unsettled(folder: string): number {
  return inStore(folder, (database) => {
    const totals = database.prepare('SELECT scheduled + queued + running AS unsettled FROM totals').get()
    return Number(totals?.unsettled)
  })
}

/** How many tasks a store holds in a state. */
export function countOf(folder: string, state: string): number {
  return inStore(folder, (database) => Number(database.prepare(`SELECT ${state} FROM totals`).get()?.[state]))
}

/** What another machine writes that uses the store: its name, and a sign of life. */
export function otherMachine(folder: string, beatAt = Date.now()): void {
  inStore(folder, (database) =>
    database
      .prepare("UPDATE machine SET boot = 'another-boot', host = 'elsewhere.example', beat_at = ?")
      .run(beatAt),
  )
}
