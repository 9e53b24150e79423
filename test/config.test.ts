import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { type ConfigOptions, config, loadConfig, useConfig } from '../src/config.ts'
import type { SetupError } from '../src/core/errors.ts'
import { load, serviceWith } from './support/config.ts'

suite('a configuration', () => {
  test('needs only a name', (t) => {
    const loaded = load(t, 'name: shop\n')
    assert.partialDeepStrictEqual(loaded, {
      name: 'shop',
      version: '0.0.0',
      with_async: false,
      port: 8080,
      host: '0.0.0.0',
      http_workers: 1,
      worker_count: Math.min(availableParallelism(), 4),
      worker_concurrency: 10,
      broker_url: 'sqlite:',
      store_sync: 'full',
      seal_keys: [],
      stop_timeout: 10_000,
      request_timeout: 30_000,
      base_path: 'apply',
      reply_check: 'fail',
      env: 'development',
      production: false,
      log_format: 'pretty',
    })
    assert.equal(loaded.jwt_secret, undefined)
  })

  test('is read key by key, durations as ms', (t) => {
    const loaded = load(
      t,
      [
        'name: shop',
        'version: "1.10"',
        'with_async: true',
        'worker_count: 3',
        'stop_timeout: 2s',
        'request_timeout: 0',
        'context_headers: [X-Shop, "x-lang"]',
        'log_level: debug',
      ].join('\r\n'),
    )
    assert.partialDeepStrictEqual(loaded, {
      version: '1.10',
      with_async: true,
      worker_count: 3,
      stop_timeout: 2000,
      request_timeout: 0,
      context_headers: ['X-Shop', 'x-lang'],
      log_level: 'debug',
    })
  })

  test('takes null, a byte order mark, comments and merge keys as YAML means them', (t) => {
    const loaded = load(t, '\ufeff# ours\nname: shop\nport: ~\nd: &d {a: 1}\ne: {<<: *d, b: 2}\n')
    assert.equal(loaded.port, 8080)
    assert.deepEqual(loaded.values.e, { a: 1, b: 2 })
  })

  test('can’t be changed, however deep', (t) => {
    const loaded = load(t, 'name: shop\nseal_keys: [a, b]\nown: {list: [{deep: 1}]}\n')
    const { own } = loaded.values
    assert.deepEqual(own, { list: [{ deep: 1 }] })
    for (const part of [
      loaded,
      loaded.values,
      loaded.seal_keys,
      loaded.env_secrets,
      own,
      Reflect.get(Object(own), 'list'),
    ]) {
      assert.ok(Object.isFrozen(part))
    }
    assert.throws(() => Object.assign(loaded.values, { name: 'x' }), TypeError)
  })

  test('is production by MACARON_ENV, PYM_ENV or NODE_ENV, in this order, an empty one counting as none', (t) => {
    const envs: readonly (readonly [ConfigOptions['environment'] & object, string, boolean])[] = [
      [{ NODE_ENV: 'production' }, 'production', true],
      [{ NODE_ENV: 'Production' }, 'Production', true],
      [{ PYM_ENV: 'live', NODE_ENV: 'test' }, 'live', true],
      [{ MACARON_ENV: 'prod', PYM_ENV: 'dev' }, 'prod', true],
      [{ MACARON_ENV: '', PYM_ENV: '', NODE_ENV: '' }, 'development', false],
      [{ MACARON_ENV: 'staging', NODE_ENV: 'production' }, 'staging', false],
    ]
    for (const [environment, env, production] of envs) {
      const loaded = load(t, 'name: shop', { environment })
      assert.deepEqual(
        [loaded.env, loaded.production, loaded.log_format],
        [env, production, production ? 'json' : 'pretty'],
      )
    }
  })
})

suite('the environment and the command line', () => {
  test('come before the file: command line, PORT, PYM_SERVER_PORT, file', (t) => {
    const source = 'name: shop\nport: 1\nhost: localhost\n'
    const port = (options: ConfigOptions) => load(t, source, options).port
    assert.equal(port({}), 1)
    assert.equal(port({ environment: { PYM_SERVER_PORT: '2' } }), 2)
    assert.equal(port({ environment: { PORT: '3', PYM_SERVER_PORT: '2' } }), 3)
    assert.equal(port({ environment: { PORT: '', PYM_SERVER_PORT: '2' } }), 2)
    assert.equal(port({ environment: { PORT: '3' }, overrides: { port: 0 } }), 0)
    assert.equal(load(t, source, { environment: { PYM_SERVER_HOST: '::1' } }).host, '::1')
  })

  test('an override that was not given changes nothing', (t) => {
    // As a command's options come: the key is there, its value is not.
    const overrides: object = { port: undefined, worker_count: undefined }
    assert.partialDeepStrictEqual(load(t, 'name: shop\nport: 5\nworker_count: 2\n', { overrides }), {
      port: 5,
      worker_count: 2,
    })
  })

  test('are checked like the file, and told with it', (t) => {
    const folder = serviceWith(t, { 'macaron.yaml': 'name: shop\nlog_level: loud\n' })
    for (const port of ['http', '-1', '65536', '80.5', '0x50', ' 80']) {
      assert.throws(
        () => loadConfig({ folder, environment: { PORT: port }, overrides: { worker_count: 1000 } }),
        (error: SetupError) => {
          assert.deepEqual(
            error.faults.map(({ message }) => message),
            [
              'log_level must be one of trace, debug, info, warn, error, fatal, not "loud"',
              `The environment variable PORT must be a port from 0 to 65535, not "${port}"`,
              'On the command line, worker_count must be a whole number from 1 to 64',
            ],
          )
          return true
        },
      )
    }
  })
})

suite('PyMacaron’s own file', () => {
  const pym = 'name: hello\nlive_host: api.example.com\nports: [80]\n'

  test('is used unchanged, its keys that resemble ours included, and basePath is ignored', (t) => {
    const folder = serviceWith(t, { 'pym-config.yaml': pym })
    const loaded = loadConfig({ folder, environment: {} })
    assert.deepEqual([loaded.name, loaded.base_path, loaded.values.ports], ['hello', 'ignore', [80]])
  })

  test('opens to pages of other sites and compresses, as PyMacaron did; macaron.yaml does neither by itself', (t) => {
    const folder = serviceWith(t, { 'pym-config.yaml': pym })
    const { cors, compress } = loadConfig({ folder, environment: {} })
    assert.deepEqual([cors, compress], ['*', true])
    const own = load(t, 'name: shop\n')
    assert.deepEqual([own.cors, own.compress, own.report_call_exceeding_ms], [undefined, false, 1000])
    const closed = serviceWith(t, { 'pym-config.yaml': `${pym}cors: false\n` })
    assert.equal(loadConfig({ folder: closed, environment: {} }).cors, undefined)
  })

  test('base_path in it is obeyed', (t) => {
    const folder = serviceWith(t, { 'pym-config.yaml': `${pym}base_path: apply\n` })
    assert.equal(loadConfig({ folder, environment: {} }).base_path, 'apply')
  })

  test('of the environment comes before the general one, and macaron.yaml before both', (t) => {
    const files: Record<string, string> = {
      'pym-config.yaml': 'name: general\n',
      'pym-config.test.yaml': 'name: test\n',
    }
    const folder = serviceWith(t, files)
    const name = (environment: ConfigOptions['environment'] & object) =>
      loadConfig({ folder, environment }).name
    assert.deepEqual(
      [name({}), name({ PYM_ENV: 'test' }), name({ PYM_ENV: 'live' })],
      ['general', 'test', 'general'],
    )
    writeFileSync(join(folder, 'macaron.yml'), 'name: yml\n')
    assert.equal(name({ PYM_ENV: 'test' }), 'yml')
    writeFileSync(join(folder, 'macaron.yaml'), 'name: yaml\n')
    assert.equal(name({ PYM_ENV: 'test' }), 'yaml')
  })
})

test('default_user_id may be a number, and cors takes origins as browsers send them', (t) => {
  const { default_user_id, cors } = load(
    t,
    'name: shop\ndefault_user_id: 42\ncors: [https://shop.example, "http://localhost:3000"]\n',
  )
  assert.equal(default_user_id, '42')
  assert.deepEqual(cors, ['https://shop.example', 'http://localhost:3000'])
})

test('NO_ERROR_REPORTING turns reports off, and DO_REPORT_ERROR on again', (t) => {
  const reports = (environment: Record<string, string>) =>
    load(t, 'name: shop\n', { environment }).error_reports
  assert.equal(reports({}), true)
  assert.equal(reports({ NO_ERROR_REPORTING: '1' }), false)
  assert.equal(reports({ NO_ERROR_REPORTING: '1', DO_REPORT_ERROR: '1' }), true)
  assert.equal(load(t, 'name: shop\nerror_reports: false\n').error_reports, false)
})

test('config() says to be called later before a service is loaded, and then gives every key of the file', (t) => {
  assert.throws(config, { code: 'NO_SERVICE', message: /call it inside a function/ })
  useConfig(load(t, 'name: shop\nuuid_file_path: /tmp/x\n'))
  assert.deepEqual(config(), { name: 'shop', uuid_file_path: '/tmp/x' })
})
