import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { type Config, type ConfigOptions, config, loadConfig, useConfig } from '../src/config.ts'
import { settingNames } from '../src/config-keys.ts'
import { SetupError } from '../src/core/errors.ts'
import { ownFolder } from './support/folder.ts'

interface Files {
  readonly [name: string]: string
}

function serviceWith(t: TestContext, files: Files): string {
  const folder = ownFolder(t)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

function load(t: TestContext, source: string, options: ConfigOptions = {}): Config {
  const folder = serviceWith(t, { 'macaron.yaml': source })
  return loadConfig({ environment: {}, ...options, folder })
}

/** The faults of a configuration, each as `line: message`, without the file's name, which all must have. */
function faultsOf(t: TestContext, source: string, options: ConfigOptions = {}): readonly string[] {
  const folder = serviceWith(t, { 'macaron.yaml': source })
  try {
    loadConfig({ environment: {}, ...options, folder })
  } catch (error) {
    assert.ok(error instanceof SetupError, String(error))
    assert.equal(error.code, 'CONFIG_INVALID')
    return error.faults.map(({ file, line, message }) => {
      assert.equal(file, join(folder, 'macaron.yaml'))
      return line === undefined ? message : `${line}: ${message}`
    })
  }
  return assert.fail('was accepted')
}

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

suite('what is wrong with a configuration', () => {
  test('is told all at once, each with file, line, what it may be and what was found', (t) => {
    const source = [
      'name: ""',
      'port: 99999',
      'with_async: yes',
      'worker_count: 0',
      'http_workers: 1.5',
      'version: 1.10',
      'stop_timeout: soon',
      'request_timeout: 25d',
      'log_level: loud',
      'context_headers: X-Shop',
      'env_secrets: {A: 1}',
      'store_sync: [full]',
      'broker_url: 5',
      'reply_check: false',
    ]
    assert.deepEqual(faultsOf(t, source.join('\n')), [
      '1: name must be a text, not ""',
      '2: port must be a whole number from 0 to 65535, not 99999',
      '3: with_async must be true or false, not "yes"',
      '4: worker_count must be a whole number from 1 to 64, not 0',
      '5: http_workers must be a whole number from 1 to 64, not 1.5',
      '6: version must be a text; put it in quotes, or YAML reads 1.10 as the number 1.1, not 1.1',
      `7: stop_timeout must be milliseconds (a number from 0) or text such as '500ms', '30s', '5m', '2h' or '7d', at most 24 days, not "soon"`,
      `8: request_timeout must be milliseconds (a number from 0) or text such as '500ms', '30s', '5m', '2h' or '7d', at most 24 days, not "25d"`,
      '9: log_level must be one of trace, debug, info, warn, error, fatal, not "loud"',
      '10: context_headers must be a list of texts, not "X-Shop"',
      '11: env_secrets must be a list of texts, not { A: 1 }',
      "12: store_sync must be one of full, normal, not [ 'full' ]",
      '13: broker_url must be a text; put it in quotes, or YAML reads 1.10 as the number 1.1',
      '14: reply_check must be one of fail, log, off, not false',
    ])
  })

  test('is told for a mistyped key with the nearest name, while own keys are fine', (t) => {
    const source =
      'name: shop\nuuid_file_path: x\nport_of_call: y\nworker_cuont: 2\nbroker-url: x\nPort: 80\n'
    const advice = '(If it is a key of your own, give it a name that is less like ours.)'
    assert.deepEqual(faultsOf(t, source), [
      `4: worker_cuont is not known. Did you mean worker_count? ${advice}`,
      `5: broker-url is not known. Did you mean broker_url? ${advice}`,
      `6: Port is not known. Did you mean port? ${advice}`,
    ])
  })

  for (const [what, source, fault] of [
    ['a missing name', 'port: 80\n', '1: name is missing: add a line such as "name: my-service"'],
    ['an empty file', '', '1: name is missing: add a line such as "name: my-service"'],
    [
      'a file of comments',
      '# nothing\n\n  # here\r\n',
      '1: name is missing: add a line such as "name: my-service"',
    ],
    ['a list', '- name: shop\n', '1: The configuration must consist of "key: value" lines'],
    ['a text', 'shop\n', '1: The configuration must consist of "key: value" lines'],
    [
      'a tab',
      'name: shop\nown:\n\tport: 80\n',
      '3: Not readable as YAML: tab characters must not be used in indentation',
    ],
    ['a key twice', 'name: a\nport: 1\nname: b\n', '3: Not readable as YAML: duplicated mapping key'],
    ['an open quote', 'name: "shop\n', '2: Not readable as YAML: deficient indentation'],
    ['a colon too many', 'name: shop: b\n', '1: Not readable as YAML: bad indentation of a mapping entry'],
    ['an unknown alias', 'name: shop\nown: *nope\n', '2: Not readable as YAML: unidentified alias "nope"'],
    [
      'a tag that runs code elsewhere',
      'name: shop\nown: !!js/function x\n',
      '2: Not readable as YAML: unknown scalar tag !<tag:yaml.org,2002:js/function>',
    ],
    [
      'two documents',
      'name: a\n---\nname: b\n',
      '1: Not readable as YAML: expected a single document in the stream, but found more',
    ],
    [
      'a list as a key',
      'name: shop\n? [a]\n: b\n',
      '1: Not readable as YAML: object-based map does not support complex keys',
    ],
    [
      'an alias of itself',
      'name: shop\nown: &own [*own]\n',
      'The YAML aliases of this file hold themselves, or expand to more than 10000 values',
    ],
  ] as const) {
    test(`${what} is told in one line`, (t) => {
      assert.deepEqual(faultsOf(t, source), [fault])
    })
  }

  test('an alias bomb is refused at once', (t) => {
    const rows = [...'bcdefghijklmnopqrst'].map((name, index) => {
      const last = 'abcdefghijklmnopqrst'[index]
      return `${name}${name}: &${name} [${Array(9).fill(`*${last}`).join(', ')}]`
    })
    const source = `name: shop\naa: &a [x, x]\n${rows.join('\n')}\nport: *t\n`
    const started = performance.now()
    assert.match(faultsOf(t, source).join(), /aliases of this file .* expand to more than 10000 values/)
    assert.ok(performance.now() - started < 2000)
  })

  test('a missing folder, a missing file and a folder in its place are told with what to do', (t) => {
    const folder = ownFolder(t)
    assert.throws(() => loadConfig({ folder: join(folder, 'gone'), environment: {} }), {
      code: 'CONFIG_MISSING',
      message: `There is no folder ${join(folder, 'gone')}. Name the service's folder with --service DIR.`,
    })
    assert.throws(() => loadConfig({ folder, environment: {} }), {
      code: 'CONFIG_MISSING',
      message: new RegExp(
        `There is no macaron.yaml in ${folder}\\. .*--service DIR.*"name: my-service" is enough`,
      ),
    })
    mkdirSync(join(folder, 'macaron.yaml'))
    assert.throws(() => loadConfig({ folder, environment: {} }), {
      code: 'CONFIG_UNREADABLE',
      message: /macaron\.yaml can't be read \(EISDIR\)/,
    })
  })

  test('any text and any value of any key is read or refused with SetupError, never another error', (t) => {
    const folder = serviceWith(t, {})
    const file = join(folder, 'macaron.yaml')
    const value = fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json))
    const line = fc.tuple(
      fc.constantFrom(...settingNames, 'own', 'prot', '__proto__'),
      fc.oneof(value, fc.string()),
    )
    const source = fc.oneof(
      fc
        .array(line, { maxLength: 6 })
        .map((lines) => lines.map(([key, text]) => `${key}: ${text}`).join('\n')),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(source, (text) => {
        writeFileSync(file, text)
        try {
          loadConfig({ folder, environment: {} })
        } catch (error) {
          assert.ok(error instanceof SetupError, String(error))
        }
      }),
      { seed: 1, numRuns: 400 },
    )
  })
})

suite('secrets', () => {
  const source = [
    'name: shop',
    'jwt_secret: SHOP_JWT',
    'seal_keys: [SHOP_SEAL, SHOP_OLD]',
    'stripe: {key: SHOP_STRIPE, others: [{deep: SHOP_STRIPE}]}',
    'plain: SHOP_OTHER',
    'env_secrets: [SHOP_JWT, SHOP_SEAL, SHOP_OLD, SHOP_STRIPE]',
  ].join('\n')
  const environment = {
    SHOP_JWT: 'jwt!',
    SHOP_SEAL: 'seal!',
    SHOP_OLD: 'old!',
    SHOP_STRIPE: 'stripe!',
    SHOP_OTHER: 'no',
  }

  test('are filled in from the environment where env_secrets lists them, in lists and maps too', (t) => {
    const loaded = load(t, source, { environment })
    assert.deepEqual([loaded.jwt_secret, loaded.seal_keys], ['jwt!', ['seal!', 'old!']])
    assert.deepEqual(loaded.values.stripe, { key: 'stripe!', others: [{ deep: 'stripe!' }] })
    assert.deepEqual([loaded.values.plain, loaded.values.jwt_secret], ['SHOP_OTHER', 'jwt!'])
    assert.deepEqual(loaded.env_secrets, ['SHOP_JWT', 'SHOP_SEAL', 'SHOP_OLD', 'SHOP_STRIPE'])
  })

  test('that are not set, or empty, are told with line and variable', (t) => {
    const missing = faultsOf(t, source, { environment: { SHOP_SEAL: 'x', SHOP_OLD: '' } })
    const told = (key: string, name: string) =>
      `${key} names the environment variable ${name} (listed in env_secrets), which is not set. Set it before starting.`
    assert.deepEqual(missing, [
      `2: ${told('jwt_secret', 'SHOP_JWT')}`,
      `3: ${told('seal_keys.1', 'SHOP_OLD')}`,
      `4: ${told('stripe.key', 'SHOP_STRIPE')}`,
      `4: ${told('stripe.others.0.deep', 'SHOP_STRIPE')}`,
    ])
  })

  test('are never shown, whichever key they stand under and whatever is wrong', (t) => {
    const keys = settingNames.filter((key) => key !== 'env_secrets')
    const wrong = keys.map((key) => `${key}: {a: [SHOP_JWT]}`)
    const faults = faultsOf(t, [...wrong, 'env_secrets: [SHOP_JWT]'].join('\n'), {
      environment: { SHOP_JWT: 'hunter2' },
    })
    assert.equal(faults.length, keys.length)
    assert.ok(!faults.join().includes('hunter2'))
    const inFile = faultsOf(
      t,
      'name: shop\njwt_secret: [hunter2]\nseal_keys: {a: hunter2}\nbroker_url: [redis://:hunter2@x]\n',
    )
    assert.equal(inFile.length, 3)
    assert.ok(!inFile.join().includes('hunter2'), inFile.join('\n'))
    const broken = faultsOf(t, 'name: shop\njwt_secret: "hunter2\nport: 1\n')
    assert.ok(!broken.join().includes('hunter2'), broken.join('\n'))
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

test('config() says to be called later before a service is loaded, and then gives every key of the file', (t) => {
  assert.throws(config, { code: 'NO_SERVICE', message: /call it inside a function/ })
  useConfig(load(t, 'name: shop\nuuid_file_path: /tmp/x\n'))
  assert.deepEqual(config(), { name: 'shop', uuid_file_path: '/tmp/x' })
})
