import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openBullmq } from '../../src/engines/bullmq/engine.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { ownFolder } from '../support/folder.ts'

/** A service's name, and the folder it has on one machine. */
export interface Place {
  readonly service: string
  readonly folder: string
}

/** A service that nobody else has; with `service`, the same one on another machine. */
export function placeOf(test: TestContext, service: string = randomUUID()): Place {
  return { service, folder: join(ownFolder(test), '.macaron') }
}

/** Opens a service's tasks; closed when the test ends. */
export async function openAt(test: TestContext, url: string, place: Place): Promise<Engine> {
  const engine = await openBullmq({ url, ...place })
  test.after(() => engine.close())
  return engine
}

/** The key of a task's job. */
export function jobKey({ service }: Place, id: string): string {
  return `{macaron:${encodeURIComponent(service)}}:tasks:${id}`
}
