import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeAddress, readAddress } from '../../src/engines/bullmq/address.ts'

const plain = { kind: 'one', db: 0, login: {}, sentinelLogin: {}, tls: false, certificates: {} }

test('every form of broker_url says where Redis is', () => {
  const host = (name: string, port = 6379) => ({ host: name, port })
  const forms = {
    'redis://': { ...plain, hosts: [host('127.0.0.1')] },
    'redis://redis': { ...plain, hosts: [host('redis')] },
    'redis://redis:6380/3': { ...plain, hosts: [host('redis', 6380)], db: 3 },
    'redis://[::1]:6380/': { ...plain, hosts: [host('::1', 6380)] },
    'redis://:p%40ss@redis': { ...plain, hosts: [host('redis')], login: { password: 'p@ss' } },
    'redis://ada:a:b@redis': {
      ...plain,
      hosts: [host('redis')],
      login: { username: 'ada', password: 'a:b' },
    },
    'rediss://redis': { ...plain, hosts: [host('redis')], tls: true },
    'redis+unix:///run/redis%20a.sock?db=2': {
      ...plain,
      kind: 'unix',
      hosts: [],
      path: '/run/redis a.sock',
      db: 2,
    },
    'redis+cluster://a,b:7000': { ...plain, kind: 'cluster', hosts: [host('a'), host('b', 7000)] },
    'rediss+sentinel://:pw@a,b:26380/main/1?sentinel_password=s': {
      kind: 'sentinel',
      hosts: [host('a', 26_379), host('b', 26_380)],
      group: 'main',
      db: 1,
      login: { password: 'pw' },
      sentinelLogin: { password: 's' },
      tls: true,
      certificates: {},
    },
    'rediss://redis?ca=/run/ca.pem&cert=keys/c.pem&key=keys/k.pem': {
      ...plain,
      hosts: [host('redis')],
      tls: true,
      certificates: { ca: '/run/ca.pem', cert: '/srv/shop/keys/c.pem', key: '/srv/shop/keys/k.pem' },
    },
  }
  for (const [url, address] of Object.entries(forms))
    assert.deepEqual(readAddress(url, '/srv/shop'), address, url)
})

test('what is no such form is refused with what would be, and without the password', () => {
  const wrong = [
    'redis:redis',
    'redis+tcp://:secret@redis',
    'redis://:secret@redis:99999',
    'redis://:secret@a,b',
    'redis://:secret@redis/one',
    'redis://:secret@redis/1/2',
    'redis://:secret%@redis',
    'redis://:secret@redis?db=1',
    'redis://:secret@redis?ca=ca.pem',
    'rediss://:secret@redis?cert=cert.pem',
    'redis+sentinel://:secret@a',
    'redis+cluster://:secret@a/1',
    'redis+unix://:secret@',
    'redis+unix:///run/redis.sock?password=secret',
    'redis://:secret/x@redis',
  ]
  for (const url of wrong)
    assert.throws(
      () => readAddress(url),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'BROKER_INVALID', url)
        assert.match(error.message, /redis:\/\/user:password@host/)
        assert.doesNotMatch(error.message, /secret/)
        return true
      },
      url,
    )
})

test('an address is told without who may use it', () => {
  const told = (url: string) => describeAddress(readAddress(url))
  assert.equal(told('redis://ada:secret@[::1]:6380'), 'Redis at [::1]:6380')
  assert.equal(told('redis+unix:///run/redis.sock'), 'Redis at /run/redis.sock')
  assert.equal(told('redis+sentinel://a:1,b:2/main'), 'Redis (main, by the sentinels at a:1, b:2)')
  assert.equal(told('rediss+cluster://:secret@a:1,b:2'), 'the Redis cluster at a:1, b:2')
})
