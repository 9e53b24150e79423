import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { until } from '../../support/until.ts'
import { monotonicMs } from './clock.ts'
import { twoExecutors } from './folders.ts'
import { startService } from './service.ts'

/** One task never lets its event loop go on while others are fired; theirs is the time that counts. */
export async function blockedLoop(test: TestContext, ms: number): Promise<void> {
  const service = await startService(test, { files: twoExecutors })
  await service.fire('note', ['warm'])
  await service.fire('block', ['busy', ms])
  await until(() => service.runs().some((run) => run.key === 'busy'), { what: 'the blocking task to start' })
  const waits: number[] = []
  // Until shortly before the end of the blocking: what starts later proves nothing.
  const end = performance.now() + ms - 500
  for (let index = 0; performance.now() < end; index += 1) waits.push(await waitOf(`other${index}`))
  await until(() => service.runs().some((run) => run.key === 'busy' && run.ended), {
    what: 'the blocking task to end',
    timeoutMs: ms + 5000,
  })
  const sorted = waits.toSorted((one, other) => one - other)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  const worst = sorted.at(-1) ?? 0
  test.diagnostic(
    `${waits.length} others fired meanwhile: median ${median.toFixed(1)} ms to start, worst ${worst.toFixed(1)} ms`,
  )
  // One that had waited for the blocked executor would have waited until the end; how much less it is depends on the machine.
  assert.ok(
    worst < ms / 2,
    `worst ${worst} ms: a hand-over to the blocked executor is taken back after 400 ms`,
  )
  assert.ok(median < 400, `median ${median} ms`)
  assert.equal(service.runs().filter((run) => run.key === 'busy').length, 1)
  await service.says(/a task blocks its event loop \(block\)/)

  /** From the fire to the start, on the system's monotonic clock. */
  async function waitOf(key: string): Promise<number> {
    const fired = monotonicMs()
    await service.fire('note', [key])
    const run = await until(() => service.runs().find((each) => each.key === key), {
      what: `${key} to start`,
      everyMs: 5,
    })
    return run.start - fired
  }
}
