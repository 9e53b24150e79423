import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { until } from '../../support/until.ts'
import { type RunningService, type StartOptions, startService } from './service.ts'

/** A service under development, and what its author does. */
export async function developed(t: TestContext, options: StartOptions) {
  const service = await startService(t, { command: 'dev', fixture: 'pages', wait: false, ...options })
  const word = async () => (await service.get('/word')).body.word
  return {
    service,
    word,
    says: listenerTo(service),
    save: (path: string, text: string) => writeFileSync(join(service.folder, path), text),
    untilWord: (wanted: string) =>
      until(async () => (await word()) === wanted, { what: `the word ${wanted}`, timeoutMs: 60_000 }),
  }
}

/** Waits for things to be said that were not waited for before, in any order: logs and errors come through two pipes. */
function listenerTo(service: RunningService) {
  let heard = 0
  return async (...patterns: readonly RegExp[]): Promise<void> => {
    const from = heard
    for (const pattern of patterns) {
      const found = await until(() => pattern.exec(service.output.slice(from)), {
        what: `${pattern}`,
        timeoutMs: 60_000,
      }).catch((error: Error) => {
        throw new Error(`${error.message}; it said:\n${service.output.slice(from)}`)
      })
      heard = Math.max(heard, from + found.index + found[0].length)
    }
  }
}
