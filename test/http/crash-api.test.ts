import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReportData } from '../../src/core/report.ts'
import { Reporter } from '../../src/core/reporter.ts'
import { installReporter } from '../../src/core/reporting.ts'
import { crashApi } from '../../src/http/crash-api.ts'
import { ownHandlers } from '../../src/http/own-handlers.ts'
import { until } from '../support/until.ts'
import { get, httpOptions, serve } from './service.ts'

/** `/crash/*`: what each of them answers and reports. */

const server = { fqdn: 'here', port: 1, api_name: 'test', api_version: '1', env: 'test' }
const version = { name: 'test', version: '1', env: 'test', apis: [] }

/** Path, status, error code, and how it is reported. */
const crashes: readonly (readonly [string, number, string | undefined, string | undefined])[] = [
  ['internalexception', 500, 'SERVER_ERROR', 'fatal'],
  ['pymacaronexception', 500, 'CRASH_ON_DEMAND', 'fatal'],
  ['reporterror', 200, undefined, 'error'],
  ['slowcall', 200, undefined, 'warning'],
  ['returnerrorinstance', 500, 'CRASH_ON_DEMAND', 'fatal'],
  ['returnfatalerrorresponse', 500, 'CRASH_ON_DEMAND', 'fatal'],
  ['returnnonfatalerrorresponse', 401, 'CRASH_ON_DEMAND', undefined],
  ['returnerrormodel', 500, 'CRASH_ON_DEMAND', 'fatal'],
]

test('every crash answers and is reported as its name says', async (t) => {
  const told: ReportData[] = []
  const reporter = new Reporter((_title, data) => void told.push(data), server)
  installReporter(reporter)
  t.after(() => installReporter(undefined))
  const handlers = ownHandlers({ ...version, onPing: undefined, slowCallMs: 20 })
  const { api, bindings } = crashApi([], handlers)
  const http = await serve(t, {}, { apis: [api], bindings, reporter, slowCallMs: 20 })
  // The first request of a process has much to load, and may be slow.
  await get(http, '/crash/returnnonfatalerrorresponse')
  for (const [path, status, error, level] of crashes) {
    told.length = 0
    const received = await get(http, `/crash/${path}`)
    assert.deepEqual([received.status, received.json.error], [status, error], path)
    if (level === undefined) await reporter.idle(1000)
    else await until(() => told.some((data) => data.level === level), { what: `${path} to be reported` })
    assert.equal(told.filter((data) => data.level === 'fatal').length, level === 'fatal' ? 1 : 0, path)
  }
})

test('they are served only where asked for, and leave paths alone that the service has', async (t) => {
  assert.equal((await get(await serve(t, {}), '/crash/slowcall')).status, 404)
  const own = { 'get /crash/slowcall': { handler: () => ({}) } }
  const { api } = crashApi(
    httpOptions(own).apis,
    ownHandlers({ ...version, onPing: undefined, slowCallMs: 0 }),
  )
  assert.equal(api.operations.length, crashes.length - 1)
})
