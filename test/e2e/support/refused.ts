import assert from 'node:assert/strict'
import { until } from '../../support/until.ts'
import type { Answer, RunningService } from './service.ts'

/** What callers are promised while tasks can't be stored, and what holds afterwards. */

/** The answer to a request whose tasks could not be stored. */
export function assertUnavailable({ status, body, headers }: Answer): void {
  assert.equal(status, 503, JSON.stringify(body))
  assert.equal(body.error, 'TASKS_UNAVAILABLE')
  assert.ok(headers.has('retry-after'))
}

/** Until these tasks have run to their end. */
export async function ran(service: RunningService, keys: readonly string[]): Promise<void> {
  await until(
    () => {
      const ended = new Set(service.runs().flatMap((run) => (run.ended ? [run.key] : [])))
      return keys.every((key) => ended.has(key))
    },
    { what: `these to run: ${keys.slice(0, 5).join(', ')} …`, timeoutMs: 15_000, everyMs: 50 },
  )
}
