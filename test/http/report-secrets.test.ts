import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import type { ReportData } from '../../src/core/report.ts'
import { Reporter } from '../../src/core/reporter.ts'
import { api3 } from '../spec/support/specs.ts'
import { until } from '../support/until.ts'
import { collect, get, post } from './service.ts'
import { serveApi } from './spec-service.ts'

/** Every secret of a request holds this, one way or the other. */
const secret = 'hunter2'

function listening(): { told: string[]; data: ReportData[]; reporter: Reporter } {
  const told: string[] = []
  const data: ReportData[] = []
  const server = { fqdn: hostname(), port: 1, api_name: 'test', api_version: '1', env: 'test' }
  const reporter = new Reporter((title, report) => {
    told.push(`${title}\n${JSON.stringify(report, undefined, 2)}`)
    data.push(report)
  }, server)
  return { told, data, reporter }
}

const api = api3({
  paths: `
/reset/{token}/{account}/{voucher}:
  post:
    operationId: reset
    parameters:
      - { name: token, in: path, required: true, schema: { type: string } }
      - { name: account, in: path, required: true, schema: { type: string } }
      - { name: voucher, in: path, required: true, schema: { type: string, x-sensitive: true } }
      - { name: password, in: query, schema: { type: string } }
      - { name: gift, in: query, schema: { $ref: '#/components/schemas/Gift' } }
      - { name: filter, in: query, style: deepObject, explode: true, schema: { type: object, additionalProperties: { type: string } } }
      - { name: doc, in: query, content: { application/json: { schema: { type: object, properties: { owner: { type: string, x-sensitive: true } } } } } }
      - { name: page, in: query, schema: { type: integer } }
    requestBody:
      required: true
      content:
        application/json: { schema: { $ref: '#/components/schemas/Reset' } }
    responses: { 200: { description: ok } }`,
  schemas: `
Gift: { type: string, allOf: [{ x-sensitive: true }] }
Reset:
  type: object
  properties:
    note: { type: string }
    answers: { type: array, items: { type: string, format: password } }
    gifts: { type: object, additionalProperties: { $ref: '#/components/schemas/Gift' } }
    deep: { type: array, items: { $ref: '#/components/schemas/Reset' } }
    card: { type: object, writeOnly: true, properties: { number: { type: string } } }
    apiKey: { type: string }
`,
})

const path = `/reset/${secret}%21/ada/v-${secret}`
const query = `?pass%77ord=${secret}&page=2&gift=${secret}&filter[token]=${secret}&filter%5Bsecret%5D=${secret}&filter[color]=red&doc=%7B%22owner%22%3A%22${secret}%22%7D`
const body = {
  note: 'lost my phone',
  answers: [secret],
  gifts: { birthday: secret },
  deep: [{ note: 'deep', card: { number: secret }, deep: [{ answers: [secret] }] }],
  card: { number: secret },
  apiKey: secret,
}

const crash = () => {
  throw new Error(`no luck at /reset?gift=${'x'}&token=${secret}`)
}

test('what a parameter or a property hides by name or by the spec stands nowhere in a report or a log line', async (t) => {
  const logged = ['request.start', 'request.end', 'request.crash', 'request.slow'] as const
  const events = logged.map((name) => collect(t, name))
  const { told, data, reporter } = listening()
  const contextHeaders = ['referer', 'x-request-line']
  const options = { reporter, contextHeaders, slowCallMs: 1e-6 }
  const server = await serveApi(t, api, { reset: crash }, options)
  const { status } = await post(server, `${path}${query}`, body, {
    referer: `https://shop.example/reset?a=1&gift=${secret}&access_token=${secret}#x`,
    'x-request-line': `POST /x?password=${secret} HTTP/1.1`,
  })
  assert.equal(status, 500)
  await until(() => told.length === 2, { what: 'the reports of the crash and of the slow call' })
  for (const text of told) assert.ok(!text.includes(secret), text)
  const urls = events.flat().map(({ url }) => url)
  assert.deepEqual(new Set(urls), new Set(['/reset/[hidden]/ada/[hidden]']))
  const { request } = data[0] ?? assert.fail()
  assert.equal(request?.base_url, '/reset/[hidden]/ada/[hidden]')
  assert.equal(
    request?.url,
    '/reset/[hidden]/ada/[hidden]?pass%77ord=[hidden]&page=2&gift=[hidden]&filter[token]=[hidden]&filter%5Bsecret%5D=[hidden]&filter[color]=red&doc=[hidden]',
  )
  assert.deepEqual(request?.params, { token: '[hidden]', account: 'ada', voucher: '[hidden]' })
  assert.partialDeepStrictEqual(request?.body, { note: 'lost my phone', deep: [{ note: 'deep' }] })
})

test('neither do refused requests tell it', async (t) => {
  const { told, reporter } = listening()
  const server = await serveApi(t, api, { reset: crash }, { reporter, slowCallMs: 1e-6 })
  const { status, text } = await post(server, `${path}${query}`, {
    ...body,
    answers: [1],
    card: { number: 2 },
  })
  assert.equal(status, 400)
  assert.ok(!text.includes(secret), text)
  await until(() => told.length === 1, { what: 'the report' })
  assert.ok(!told.join().includes(secret), told.join())
})

test("a route of the service's own, and a hook before an operation, hide what their paths name", async (t) => {
  const events = [collect(t, 'request.end'), collect(t, 'request.crash')]
  const { told, reporter } = listening()
  const server = await serveApi(
    t,
    api,
    {},
    {
      reporter,
      plugins: {
        file: 'service.ts',
        register(fastify) {
          fastify.get('/own/:token/:name', async () => ({}))
          fastify.get('/own/crash/:token', crash)
          fastify.get('/own/files/:token/*', () => ({}))
          fastify.addHook('preHandler', async ({ url }) => {
            if (url.startsWith('/reset')) crash()
          })
        },
      },
    },
  )
  await get(server, `/own/${secret}/ada`)
  await get(server, `/own/files/${secret}/a/b`)
  await get(server, `/own/crash/${secret}?password=${secret}`)
  await post(server, `${path}${query}`, {})
  await until(() => events.flat().length === 6, { what: 'the events' })
  const urls = events.flat().map(({ url }) => url)
  assert.deepEqual(
    new Set(urls),
    new Set([
      '/own/[hidden]/ada',
      '/own/files/[hidden]/a/b',
      '/own/crash/[hidden]',
      '/reset/[hidden]/ada/[hidden]',
    ]),
  )
  await until(() => told.length === 2, { what: 'the reports' })
  assert.ok(!told.join().includes(secret), told.join())
})
