import assert from 'node:assert/strict'
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
async function secured(t: TestContext) {
  const made = makeCertificates(ownFolder(t))
  const port = await freePort()
  const tls = ['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-cert-file', made.certificate]
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
  const files = {
    'macaron.yaml': `name: bench\nwith_async: true\nlog_format: json\nspool: off\nbroker_url: ${url}\n`,
  }
  return { files, trust: { NODE_EXTRA_CA_CERTS: made.authority } }
}

test('rediss:// keeps tasks on a Redis with TLS and a password', options, async (t) => {
  const { files, trust } = await secured(t)
  const service = await startService(t, { files, env: trust })
  const { body } = await service.post('/fire', { task: 'returns', args: ['k', 42], now: true, end: 'result' })
  assert.equal(body.result, 42)
  await service.says(/Tasks are stored on Redis at localhost:\d+/)
  await end(service)
})

test('a certificate that nobody here trusts is told as such, and no task is taken', options, async (t) => {
  const { files } = await secured(t)
  const service = await startService(t, { files, wait: false })
  await until(async () => (await service.fire('note', ['k']).catch(() => undefined))?.status === 503, {
    what: 'the 503',
    everyMs: 50,
  })
  const { reasons } = (await service.get('/health/ready')).body
  assert.match(JSON.stringify(reasons), /self-signed certificate.*NODE_EXTRA_CA_CERTS.*\[STORE_UNREACHABLE\]/)
  assert.doesNotMatch(service.output, /s3cret/)
  await end(service)
})
