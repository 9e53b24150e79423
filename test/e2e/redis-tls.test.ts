import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { ownFolder } from '../support/folder.ts'
import { freePort } from '../support/free-port.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { makeCertificates, withoutOpenssl } from '../support/tls.ts'
import { until } from '../support/until.ts'
import { startService } from './support/service.ts'
import { end } from './support/storm.ts'

const options = { skip: withoutRedis || withoutOpenssl }

/** A Redis that is spoken to with TLS and a password; Node knows its authority by `trust`. */
async function secured(t: TestContext, clients: 'yes' | 'no' = 'no', days?: number) {
  const made = makeCertificates(ownFolder(t), days)
  const port = await freePort()
  const tls = ['--tls-port', String(port), '--tls-auth-clients', clients, '--tls-cert-file', made.certificate]
  const redis = await RedisServer.start(
    ...tls,
    '--tls-key-file',
    made.key,
    '--tls-ca-cert-file',
    made.authority,
  )
  t.after(() => redis.end())
  await redis.command('ACL', 'SETUSER', 'macaron', 'on', '>s3cret/word', '~*', '&*', '+@all')
  const url = `rediss://macaron:s3cret%2Fword@localhost:${port}`
  return { files: filesFor(url), url, made, plain: redis.url, trust: { NODE_EXTRA_CA_CERTS: made.authority } }
}

const filesFor = (url: string) => ({
  'macaron.yaml': `name: bench\nwith_async: true\nlog_format: json\nspool: off\nbroker_url: ${url}\n`,
})

/** Why a service with this `broker_url` takes no tasks. */
async function reasonOf(t: TestContext, url: string, env: Record<string, string> = {}): Promise<string> {
  const service = await startService(t, { files: filesFor(url), env, wait: false })
  const reasons = await until(
    async () => {
      const answer = await service.get('/health/ready').catch(() => undefined)
      const text = JSON.stringify(answer?.body.reasons ?? [])
      return /STORE_UNREACHABLE/.test(text) ? text : undefined
    },
    { what: 'the reason', everyMs: 50 },
  )
  assert.doesNotMatch(service.output, /s3cret/)
  await end(service)
  return reasons
}

test('rediss:// keeps tasks on a Redis with TLS and a password', options, async (t) => {
  const { files, trust } = await secured(t)
  const service = await startService(t, { files, env: trust })
  const { body } = await service.post('/fire', { task: 'returns', args: ['k', 42], now: true, end: 'result' })
  assert.equal(body.result, 42)
  await service.says(/Tasks are stored on Redis at localhost:\d+/)
  await end(service)
})

test(
  'a Redis that asks for a certificate of its clients is shown the one that broker_url names',
  options,
  async (t) => {
    const { url, made } = await secured(t, 'yes')
    const files = {
      ...filesFor(`${url}?ca=${made.authority}&cert=keys/cert.pem&key=keys/key.pem`),
      'keys/cert.pem': readFileSync(made.certificate, 'utf8'),
      'keys/key.pem': readFileSync(made.key, 'utf8'),
    }
    const service = await startService(t, { files })
    const { body } = await service.post('/fire', {
      task: 'returns',
      args: ['k', 42],
      now: true,
      end: 'result',
    })
    assert.equal(body.result, 42)
    assert.match(await reasonOf(t, `${url}?ca=${made.authority}`), /certificate .*cert=file&key=file/)
    assert.match(await reasonOf(t, `${url}?ca=no/such.pem`), /can't be read: ENOENT/)
    await end(service)
  },
)

test('what is wrong with TLS is told as such, and no task is taken', options, async (t) => {
  const { url, plain, trust } = await secured(t)
  assert.match(await reasonOf(t, url), /self-signed certificate.*ca=file.*NODE_EXTRA_CA_CERTS/)
  const named = url.replace('localhost', '127.0.0.1')
  assert.match(await reasonOf(t, named, trust), /can't be trusted.*for which names/)
  assert.match(await reasonOf(t, url.replace('rediss:', 'redis:')), /wants TLS .rediss:/)
  assert.match(await reasonOf(t, plain.replace('redis:', 'rediss:')), /does not answer to TLS.*redis:/)
  const old = await secured(t, 'no', 0)
  assert.match(await reasonOf(t, old.url, old.trust), /certificate has expired.*until when it is good/)
})
