import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { loadConfig } from '../src/config.ts'
import { settingNames } from '../src/config-keys.ts'
import { SetupError } from '../src/core/errors.ts'
import { faultsOf, serviceWith } from './support/config.ts'
import { ownFolder } from './support/folder.ts'

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
      'cors: [https://shop.example/]',
      'default_user_id: []',
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
      `15: cors must be '*', false, or a list of origins such as https://shop.example, not [ 'https://shop.example/' ]`,
      '16: default_user_id must be a text, not []',
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
