import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { type Config, loadConfig } from '../src/config.ts'
import { checkKeys, jwtSecret, requireSealKeys, sealKeys } from '../src/keys.ts'
import { openStore, openStoreWhenPossible } from '../src/store.ts'
import { ownFolder } from './support/folder.ts'
import { startedProgram } from './support/processes.ts'

const program = new URL('fixtures/make-key.ts', import.meta.url)
const long = 'l'.repeat(32)

function service(t: TestContext, lines = '', environment: Record<string, string> = {}): Config {
  const folder = ownFolder(t)
  writeFileSync(join(folder, 'macaron.yaml'), `name: shop\n${lines}`)
  return loadConfig({ folder, environment })
}

const kept = (config: Config, name: string) => join(config.folder, '.macaron', name)

suite('keys that are not configured', () => {
  test('are made once, random, for their owner’s eyes only, and kept', (t) => {
    const config = service(t)
    const [key, ...others] = sealKeys(config)
    assert.deepEqual(others, [])
    assert.match(key, /^[\w-]{43}$/)
    assert.deepEqual(sealKeys(config), [key])
    const secret = jwtSecret(config)
    assert.equal(jwtSecret(config), secret)
    assert.notEqual(secret, key)
    assert.notEqual(sealKeys(service(t))[0], key)
    for (const name of ['seal.key', 'jwt.key']) assert.equal(statSync(kept(config, name)).mode & 0o777, 0o600)
    assert.equal(statSync(join(config.folder, '.macaron')).mode & 0o777, 0o700)
    assert.deepEqual(readdirSync(join(config.folder, '.macaron')).toSorted(), [
      '.gitignore',
      'jwt.key',
      'seal.key',
    ])
  })

  test('are the same for eight processes that make them at the same moment', async (t) => {
    const { folder } = service(t)
    const children = await Promise.all(
      Array.from({ length: 8 }, () => startedProgram(t, program, { args: [folder] })),
    )
    const answers = children.map((child) => once(child, 'message'))
    for (const child of children) child.send('now')
    const keys = (await Promise.all(answers)).map(([answer]) => JSON.stringify(answer))
    assert.match(keys[0] ?? '', /^\{"seal":"[\w-]{43}","jwt":"[\w-]{43}"\}$/)
    assert.equal(new Set(keys).size, 1)
    assert.deepEqual(readdirSync(join(folder, '.macaron')).toSorted(), ['.gitignore', 'jwt.key', 'seal.key'])
  })

  test('of a file that was cut or emptied are refused, not used', (t) => {
    const config = service(t)
    sealKeys(config)
    for (const text of ['', '\n', 'short\n', readFileSync(kept(config, 'seal.key'), 'utf8').slice(0, 31)]) {
      writeFileSync(kept(config, 'seal.key'), text)
      writeFileSync(kept(config, 'jwt.key'), text)
      const expected = {
        code: 'KEY_FILE',
        message: /\.key: This file holds no key of 32 bytes or more\. Restore it, or remove it/,
      }
      assert.throws(() => sealKeys(config), expected)
      assert.throws(() => jwtSecret(config), expected)
    }
  })

  test('that can’t be read are told with file and what else to do', (t) => {
    const config = service(t)
    mkdirSync(kept(config, 'seal.key'), { recursive: true })
    assert.throws(() => sealKeys(config), {
      code: 'KEY_FILE',
      message: `${kept(config, 'seal.key')}: This key can't be read or made (EISDIR). Give this user the right to do so, or set seal_keys in ${config.file}.`,
    })
  })

  test('where a file stands in the way of the folder is told', (t) => {
    const config = service(t)
    writeFileSync(join(config.folder, '.macaron'), '')
    assert.throws(() => jwtSecret(config), { code: 'KEY_FILE', message: /jwt\.key: .*\(ENOTDIR\)/ })
  })

  test('are refused with a clear message where this user may not read or write', {
    skip: process.getuid?.() === 0 ? false : 'only root can start a process of another user',
  }, async (t) => {
    const nobody = 65_534
    const answer = async (folder: string) => {
      const child = await startedProgram(t, program, { args: [folder], uid: nobody, gid: nobody })
      const [message] = await Promise.all([once(child, 'message'), child.send('now')])
      return message[0].error
    }
    const readOnly = service(t)
    chmodSync(readOnly.folder, 0o555)
    assert.partialDeepStrictEqual(await answer(readOnly.folder), { code: 'STORE_UNWRITABLE' })
    const foreign = service(t)
    sealKeys(foreign)
    chmodSync(foreign.folder, 0o755)
    chownSync(join(foreign.folder, '.macaron'), nobody, nobody)
    const { code, message } = await answer(foreign.folder)
    assert.equal(code, 'KEY_FILE')
    assert.match(message, /seal\.key: This key can't be read or made \(EACCES\)\. Give this user the right/)
  })
})

suite('keys that are configured', () => {
  test('are used, all of them, in their order, and nothing is made', (t) => {
    const environment = { OLD: 'o'.repeat(40), JWT: long }
    const config = service(
      t,
      `jwt_secret: JWT\nseal_keys: [${long}, OLD]\nenv_secrets: [OLD, JWT]\n`,
      environment,
    )
    assert.deepEqual(sealKeys(config), [long, 'o'.repeat(40)])
    assert.equal(jwtSecret(config), long)
    assert.deepEqual(readdirSync(config.folder), ['macaron.yaml'])
  })

  test('in production the JWT secret must be there and long enough, counted in bytes', (t) => {
    const production = { MACARON_ENV: 'production' }
    const missing = service(t, '', production)
    assert.throws(() => jwtSecret(missing), {
      code: 'JWT_SECRET_MISSING',
      message: new RegExp(`^${missing.file}: jwt_secret is missing.*list that under env_secrets`),
    })
    assert.deepEqual(readdirSync(missing.folder), ['macaron.yaml'])
    const short = service(t, 'jwt_secret: hunter2\n', production)
    assert.throws(
      () => jwtSecret(short),
      (error: Error) =>
        /has 7 bytes; HS256 needs at least 32/.test(error.message) && !error.message.includes('hunter2'),
    )
    assert.equal(jwtSecret(service(t, `jwt_secret: ${'é'.repeat(16)}\n`, production)), 'é'.repeat(16))
  })

  test('tasks that machines share need a seal key in production, before anything is opened', async (t) => {
    const production = { MACARON_ENV: 'production', URL: 'redis://:hunter2@127.0.0.1:1' }
    const shared = 'with_async: true\nbroker_url: URL\nenv_secrets: [URL]\n'
    const missing = service(t, shared, production)
    const refusal = (error: Error & { code?: string }) =>
      error.code === 'SEAL_KEY_MISSING' && !error.message.includes('hunter2')
    await assert.rejects(openStore(missing, 'worker'), refusal)
    assert.throws(() => openStoreWhenPossible(missing), refusal)
    assert.throws(() => checkKeys(missing, { tokens: false }).map((check) => check()), refusal)
    for (const fine of [
      service(t, `${shared}seal_keys: [${long}]\n`, production),
      service(t, shared, { ...production, MACARON_ENV: 'test' }),
      service(t, 'with_async: true\n', production),
    ])
      requireSealKeys(fine)
  })

  test('a short JWT secret or seal key is refused in development too, without showing it', (t) => {
    assert.throws(() => jwtSecret(service(t, 'jwt_secret: hunter2\n')), { code: 'JWT_SECRET_SHORT' })
    const keys = service(t, `seal_keys: ['${'k'.repeat(32)}', 'hunter2']\n`)
    assert.throws(
      () => sealKeys(keys),
      (error: Error) => /Key 2 of seal_keys/.test(error.message) && !error.message.includes('hunter2'),
    )
  })

  test('in production the seal of the embedded store may be a kept one', (t) => {
    assert.match(sealKeys(service(t, '', { NODE_ENV: 'production' }))[0], /^[\w-]{43}$/)
  })
})
