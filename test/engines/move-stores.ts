import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openBullmq } from '../../src/engines/bullmq/engine.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { openSqlite } from '../../src/engines/sqlite/engine.ts'
import { newTaskId } from '../../src/tasks/ids.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { copyOf } from '../e2e/support/folders.ts'

/** What tasks are moved between in tests. */

/** An embedded store and a Redis, of a service that has no tasks yet. */
export interface Stores {
  readonly folder: string
  readonly service: string
  readonly engines: { readonly sqlite: Engine; readonly redis: Engine }
  readonly urls: { readonly sqlite: string; readonly redis: string }
}

let count = 0

export async function stores(t: TestContext, url: string): Promise<Stores> {
  const service = `moved ${++count}`
  const folder = copyOf(t, 'bench', { files: { 'macaron.yaml': `name: ${service}\nwith_async: true\n` } })
  const state = join(folder, '.macaron')
  const engines = {
    sqlite: await openSqlite({ folder: state, sync: 'normal', role: 'worker' }),
    redis: await openBullmq({ url, service, folder: state }),
  }
  t.after(() => Promise.all([engines.sqlite.close(), engines.redis.close()]))
  return { folder, service, engines, urls: { sqlite: 'sqlite:', redis: url } }
}

/** Of two priorities and queues; every fifth is due in an hour. */
export function messages(size: number, over: Partial<TaskMessage> = {}): readonly TaskMessage[] {
  return Array.from({ length: size }, (_, index) => {
    const firedAt = Date.now()
    const delay = index % 5 === 0 ? 3_600_000 : 0
    return {
      id: newTaskId(firedAt),
      name: 'note',
      queue: index % 7 === 0 ? 'mail' : 'default',
      priority: index % 3 === 0 ? 4 : 0,
      runAt: delay === 0 ? 0 : firedAt + delay,
      firedAt,
      atMostOnce: false,
      args: JSON.stringify([`k${index}`]),
      options: delay === 0 ? '{}' : JSON.stringify({ delay }),
      context: 'sealed',
      ...over,
    }
  })
}

/** How many are to run there. */
export async function left(engine: Engine): Promise<number> {
  const { queued, scheduled, running } = await engine.counts()
  return queued + scheduled + running
}
