import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { until } from '../../support/until.ts'
import { load } from './load.ts'
import { type Role, residentMiB } from './processes.ts'
import { type RunningService, startService } from './service.ts'

const roles: readonly Role[] = ['server', 'worker', 'executor']

/** A service that has answered many requests with tasks has as many files open as before. */
export async function openFilesStay(t: TestContext, count: number): Promise<void> {
  const service = await startService(t)
  await requests(t, service, { count: 200, prefix: 'before ' })
  const before = roles.map((role) => service.openFiles(role))
  const memoryBefore = memory(service)
  await requests(t, service, { count, prefix: 'after ' })
  const after = roles.map((role) => service.openFiles(role))
  t.diagnostic(
    roles.map((role, index) => `${role}: ${before[index]} then ${after[index]} files`).join('; ') +
      `; MiB ${memoryBefore} then ${memory(service)}`,
  )
  roles.forEach((role, index) => {
    assert.ok((after[index] ?? 0) <= (before[index] ?? 0) + 3, `${role} has more files open`)
  })
}

async function requests(
  t: TestContext,
  service: RunningService,
  { count, prefix }: { readonly count: number; readonly prefix: string },
): Promise<void> {
  const before = service.runs().length
  const { answered } = await load(t, service, { clients: 8, requests: count, prefix }).ended
  assert.equal(answered.length, count)
  await until(() => service.runs().length >= before + count, { what: 'the tasks to run', everyMs: 100 })
}

function memory(service: RunningService): string {
  return roles
    .map((role) =>
      service
        .pids(role)
        .map((pid) => residentMiB(pid).toFixed(0))
        .join('+'),
    )
    .join(' / ')
}
