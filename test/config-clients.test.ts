import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from '../src/config.ts'
import { SetupError } from '../src/core/errors.ts'
import { loadClients } from '../src/service-clients.ts'
import { type Files, serviceWith } from './support/config.ts'

/** A service's folder with specs that only have to be there. */
function folderWith(t: TestContext, source: string, specs: readonly string[]): string {
  const files: Files = { 'macaron.yaml': source }
  const folder = serviceWith(t, files)
  for (const part of ['apis', 'clients']) mkdirSync(join(folder, part))
  for (const spec of specs) writeFileSync(join(folder, spec), '')
  return folder
}

test('clients have a spec, an address and defaults; the environment comes before the file', (t) => {
  const source = `
name: shop
env_secrets: [BANK_KEY]
clients:
  login: { url: https://login.example.com/base, timeout: 5s, retries: 0, pass_token: false, base_path: ignore }
  bank: { url: http://bank.test, reply_check: log, reply_limit: 100, headers: { X-Key: BANK_KEY } }
  shop: { url: http://localhost:8080 }
`
  const folder = folderWith(t, source, [
    'clients/login.yaml',
    'clients/bank.json',
    'clients/mail-er.yml',
    'apis/shop.yaml',
    'apis/bank.yaml',
  ])
  const environment = {
    BANK_KEY: 'k',
    MACARON_CLIENT_MAIL_ER_URL: 'http://mail',
    MACARON_CLIENT_SHOP_URL: 'http://other:1',
  }
  const { clients } = loadConfig({ folder, environment })
  const usual = {
    timeout: 10_000,
    retries: 2,
    reply_check: 'fail',
    reply_limit: 10_485_760,
    base_path: undefined,
    pass_token: true,
    headers: {},
  }
  assert.deepEqual(clients, {
    login: {
      ...usual,
      url: 'https://login.example.com/base',
      timeout: 5000,
      retries: 0,
      pass_token: false,
      base_path: 'ignore',
      spec: join(folder, 'clients/login.yaml'),
      isOwn: false,
    },
    bank: {
      ...usual,
      url: 'http://bank.test/',
      reply_check: 'log',
      reply_limit: 100,
      headers: { 'x-key': 'k' },
      spec: join(folder, 'clients/bank.json'),
      isOwn: false,
    },
    shop: { ...usual, url: 'http://other:1/', spec: join(folder, 'apis/shop.yaml'), isOwn: true },
    'mail-er': { ...usual, url: 'http://mail/', spec: join(folder, 'clients/mail-er.yml'), isOwn: false },
  })
})

test('every mistake in clients is told at once, with its line and without its value', (t) => {
  const source = `name: shop
clients:
  logn: { url: https://login.example.com }
  login:
    url: https://user:hidden@login.example.com
    timout: 5s
    timeout: hidden
    retries: 11
    reply_check: maybe
    headers: { Host: hidden }
  bank: https://bank.example.com
`
  const folder = folderWith(t, source, ['clients/login.yaml', 'clients/bank.yaml', 'clients/mail.yaml'])
  try {
    loadConfig({ folder, environment: {} })
    assert.fail('was accepted')
  } catch (error) {
    assert.ok(error instanceof SetupError, String(error))
    const told = error.faults.map(({ line, message }) => `${line}: ${message}`).join('\n')
    for (const part of [
      '3: clients.logn has no spec: .*clients/logn.yaml.*Did you mean "login"',
      '5: clients.login.url must be an address such as .*without user',
      '6: clients.login.timout is not known. Did you mean "timeout"',
      '7: clients.login.timeout must be milliseconds',
      '8: clients.login.retries must be a whole number from 0 to 10',
      '9: clients.login.reply_check must be one of fail, log, off',
      '10: clients.login.headers must be a map of headers; Host is set by the client itself',
      '11: clients.bank must be a map, with at least a url',
    ])
      assert.match(told, new RegExp(part))
    assert.doesNotMatch(error.message, /hidden/)
  }
})

test('a client whose address nobody says stops what makes calls, and nothing else', async (t) => {
  const folder = folderWith(t, 'name: shop\nclients:\n  bank: { retries: 1 }\n', [
    'clients/bank.yaml',
    'clients/mail.yaml',
  ])
  const config = loadConfig({ folder, environment: {} })
  await assert.rejects(loadClients(config), (error) => {
    assert.ok(error instanceof SetupError)
    assert.equal(error.code, 'CLIENT_NO_URL')
    assert.match(error.message, /macaron\.yaml:3:3: clients\.bank\.url is missing: .*MACARON_CLIENT_BANK_URL/)
    assert.match(error.message, /clients\.mail\.url is missing: .*MACARON_CLIENT_MAIL_URL/)
    return true
  })
})

test('clients that are no map are refused, and without any there are none', (t) => {
  const folder = folderWith(t, 'name: shop\nclients: [login]\n', [])
  assert.throws(
    () => loadConfig({ folder, environment: {} }),
    /clients must be a map of names, each with at least a url/,
  )
  const without = folderWith(t, 'name: shop\n', [])
  assert.deepEqual(loadConfig({ folder: without, environment: {} }).clients, {})
})
