import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { check, errorsOf, type Files, goodFiles, placeOf, startFault, write } from './check-service.ts'

/** What breaks a good service: a text of one of its files and what takes its place, and what is said of it then. */
interface Break {
  readonly file: string
  readonly from: string | RegExp
  readonly to: string
  readonly says: RegExp
}

const breaks: readonly Break[] = [
  {
    file: 'macaron.yaml',
    from: '8123',
    to: 'eighty',
    says: /^macaron\.yaml:2:1 CONFIG_INVALID port must be/,
  },
  {
    file: 'macaron.yaml',
    from: 'port:',
    to: 'prot:',
    says: /^macaron\.yaml:2:1 CONFIG_INVALID .*Did you mean port\?/,
  },
  {
    file: 'macaron.yaml',
    from: '[]',
    to: '[',
    says: /^macaron\.yaml:\d:\d CONFIG_INVALID Not readable as YAML/,
  },
  {
    file: 'macaron.yaml',
    from: 'a secret of the tests, 32 bytes or more',
    to: 'short',
    says: /^macaron\.yaml JWT_SECRET_SHORT .*has 5 bytes/,
  },
  {
    file: 'macaron.yaml',
    from: 'env_secrets: []',
    to: 'seal_keys: [short]\nwith_async: true',
    says: /^macaron\.yaml SEAL_KEY_TOO_SHORT/,
  },
  {
    file: 'macaron.yaml',
    from: 'env_secrets: []',
    to: 'broker_url: amqp://x\nwith_async: true',
    says: /BROKER_UNSUPPORTED broker_url: amqp:/,
  },
  {
    file: 'apis/shop.yaml',
    from: "swagger: '2.0'",
    to: "swagger: '1.2'",
    says: /^apis\/shop\.yaml:1:1 SPEC_INVALID .*1\.2/,
  },
  {
    file: 'apis/shop.yaml',
    from: 'paths:',
    to: 'paths: [',
    says: /^apis\/shop\.yaml:\d+:\d+ SPEC_INVALID This is not YAML/,
  },
  {
    file: 'apis/shop.yaml',
    from: 'maxLength: 10',
    to: 'maxLength: ten',
    says: /^apis\/shop\.yaml:26:27 SPEC_INVALID "maxLength" must be a whole number/,
  },
  {
    file: 'apis/shop.yaml',
    from: '[big, small]',
    to: '[]',
    says: /^apis\/shop\.yaml:27:29 SPEC_INVALID "enum" must be a list of one value or more, not an empty list/,
  },
  {
    file: 'apis/shop.yaml',
    from: '^[a-z]+$',
    to: '^[a-z+$',
    says: /^apis\/shop\.yaml:9:\d+ SPEC_INVALID "pattern" must be a regular expression/,
  },
  {
    file: 'apis/shop.yaml',
    from: "{ $ref: '#/definitions/Item' }",
    to: "{ $ref: '#/definitions/Itme' }",
    says: /^apis\/shop\.yaml:11:\d+ SPEC_INVALID .*leads nowhere/,
  },
  {
    file: 'apis/shop.yaml',
    from: "{ $ref: '#/definitions/Item' }",
    to: "{ $ref: 'https://elsewhere.example/item.yaml' }",
    says: /SPEC_INVALID .*leads out of this file/,
  },
  {
    file: 'apis/shop.yaml',
    from: 'name: id',
    to: 'name: di',
    says: /SPEC_INVALID The path \/items\/\{id\} has \{id\}, but no/,
  },
  {
    file: 'apis/shop.yaml',
    from: 'shop.items.get_item',
    to: 'shop.items.gte_item',
    says: /^apis\/shop\.yaml:7:7 BINDING_MISSING .*Did you mean "getItem"\?/,
  },
  {
    file: 'apis/shop.yaml',
    from: 'operationId: shop.items.get_item',
    to: 'summary: nothing',
    says: /BINDING_MISSING GET \/v1\/items\/\{id\} names no function/,
  },
  {
    file: 'apis/shop.yaml',
    from: 'shop.items.loud',
    to: 'shop.items.lout',
    says: /^apis\/shop\.yaml:15:7 BINDING_MISSING .*Did you mean "loud"\?/,
  },
  {
    file: 'apis/shop.yaml',
    from: 'shop.models.ItemParent',
    to: 'shop.models.ItemPraent',
    says: /^apis\/shop\.yaml:23:5 PARENT_UNFIT .*Did you mean "ItemParent"\?/,
  },
  {
    file: 'apis/more.yaml',
    from: 'operationId: more',
    to: 'operationId: moer',
    says: /^apis\/more\.yaml:6:7 BINDING_MISSING "moer" is bound to no function.*Did you mean "more"\?/,
  },
  {
    file: 'apis/more.yaml',
    from: '/more',
    to: '/v1/items/{name}',
    says: /^apis\/more\.yaml:\d:\d SPEC_INVALID/,
  },
  {
    file: 'shop/items.ts',
    from: '=> (...args: unknown[]) => handler(...args)',
    to: '=> 7',
    says: /BINDING_MISSING The decorator "shop\.items\.loud" must give a function/,
  },
  {
    file: 'shop/items.ts',
    from: 'export const getItem',
    to: 'const getItem',
    says: /BINDING_MISSING .*does not export get_item or getItem/,
  },
  {
    file: 'shop/items.ts',
    from: 'export const addItem',
    to: 'throw new Error("no database")\nexport const addItem',
    says: /^shop\/items\.ts:5:7 BINDING_MISSING .*no database/,
  },
  {
    file: 'shop/models.ts',
    from: 'export class ItemParent {',
    to: 'export class ItemParent { own = 1',
    says: /PARENT_UNFIT/,
  },
  {
    file: 'tasks/mail.ts',
    from: /'mail_\d+', async function mail/,
    to: 'async function ',
    says: /^tasks\/mail\.ts:3 (TASK_MODULE_BROKEN|BINDING_MISSING) .*this task has no name/,
  },
  {
    file: 'tasks/mail.ts',
    from: /(mail_\d+)([\s\S]*)/,
    to: "$1$2export const twin = asyncTask('$1', async () => {})\n",
    says: /Two tasks are named "mail_\d+"/,
  },
  {
    file: 'tasks/mail.ts',
    from: /\}\)\n$/,
    to: '}, { retrys: 2 } as object)\n',
    says: /retrys.*Did you mean .?retries/,
  },
  { file: 'tasks/mail.ts', from: 'asyncTask }', to: 'asyncTusk }', says: /asyncTusk/ },
]

function broken(files: Files, { file, from, to }: Break): Files {
  const text = files[file] ?? ''
  const changed = text.replace(from, to)
  assert.notEqual(changed, text, `${file} has ${from}`)
  return { ...files, [file]: changed }
}

/** A service that is passed starts; one that doesn't start is not passed. */
async function assertAgree(folder: string): Promise<readonly string[]> {
  const errors = errorsOf(await check(folder), folder)
  const fault = await startFault(folder)
  if (errors.length === 0) assert.equal(fault, undefined, 'it was passed, so it starts')
  if (fault !== undefined) assert.notDeepEqual(errors, [], `it does not start: ${fault}`)
  return errors
}

test('a good service has no errors, starts, and nothing is left behind but its generated files', async (t) => {
  const folder = write(t, goodFiles())
  const report = await check(folder)
  assert.deepEqual(errorsOf(report, folder), [])
  assert.deepEqual([report.apis, report.operations], [2, 3])
  assert.equal(existsSync(join(folder, '.macaron')), false)
  assert.deepEqual(readdirSync(join(folder, 'apis')), [
    'more.gen.ts',
    'more.yaml',
    'shop.gen.ts',
    'shop.yaml',
  ])
  assert.equal(await startFault(folder), undefined)
})

for (const one of breaks) {
  test(`${one.file}: "${one.to.split('\n')[0]}" is told, and the service does not start`, async (t) => {
    const folder = write(t, broken(goodFiles(), one))
    const errors = await assertAgree(folder)
    assert.ok(
      errors.some((error) => one.says.test(error)),
      errors.join('\n'),
    )
    if (!/SEAL|BROKER/.test(one.says.source)) assert.notEqual(await startFault(folder), undefined)
  })
}

test('faults of configuration, two specs, bindings, parents and tasks are told at once', async (t) => {
  const texts = [
    'eighty',
    'maxLength: ten',
    'shop.models.ItemPraent',
    'operationId: moer',
    '/v1/items/{name}',
    'async function ',
  ]
  const chosen = breaks.filter(({ to }) => texts.includes(to))
  assert.equal(chosen.length, texts.length)
  const folder = write(t, chosen.reduce(broken, goodFiles()))
  const errors = await assertAgree(folder)
  assert.doesNotMatch(errors.join('\n'), /gen\.ts/, 'what could not be generated is no fault of its own')
  for (const { says } of chosen)
    assert.ok(
      errors.some((error) => says.test(error)),
      `${says}\n${errors.join('\n')}`,
    )
})

test('addresses that nobody says and broken specs of clients are told at once, beside everything else', async (t) => {
  const spec = goodFiles()['apis/more.yaml'] ?? ''
  const files: Files = {
    ...broken(goodFiles(), breaks.find(({ to }) => to === 'operationId: moer') ?? assert.fail()),
    'clients/bank.yaml': spec,
    'clients/mail.yaml': spec.replace('paths:', 'pahts:'),
    'clients/post.yaml': spec.replace('3.0.3', '9.0'),
    'handlers.ts':
      "import { client } from 'macaron'\nconst bank = client('bank')\nexport const more = () => bank.more()\n",
  }
  const folder = write(t, files)
  const errors = await assertAgree(folder)
  for (const says of [
    /CLIENT_NO_URL clients\.bank\.url is missing/,
    /CLIENT_NO_URL clients\.mail\.url is missing/,
    /CLIENT_NO_URL clients\.post\.url is missing/,
    /^clients\/mail\.yaml.* SPEC_INVALID/,
    /^clients\/post\.yaml.* SPEC_INVALID .*version 9/,
    /moer/,
  ])
    assert.ok(
      errors.some((error) => says.test(error)),
      `${says}\n${errors.join('\n')}`,
    )
  const addressed = ['bank', 'mail', 'post'].map((name) => `  ${name}: { url: 'http://${name}' }\n`).join('')
  const second = write(t, { ...files, 'macaron.yaml': `${files['macaron.yaml']}clients:\n${addressed}` })
  assert.match(String(await startFault(second)), /mail\.yaml.*post\.yaml/s)
})

test('whatever line or letters are lost: what is passed starts, what does not start is not passed', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 12 }), async (pick, at, length) => {
      const files = goodFiles()
      const names = Object.keys(files)
      const name = names[pick % names.length] ?? ''
      const text = files[name] ?? ''
      const start = at % text.length
      await assertAgree(write(t, { ...files, [name]: text.slice(0, start) + text.slice(start + length) }))
    }),
    { seed: 20_261_125, numRuns: 25 },
  )
})

test('a generated file that is out of date is made anew and told as a warning, a missing one is made', async (t) => {
  const folder = write(t, goodFiles())
  await check(folder)
  appendFileSync(join(folder, 'apis/more.yaml'), '# changed\n')
  const { findings } = await check(folder)
  const warnings = findings.filter(
    ({ severity, rule }) => severity === 'warning' && rule === 'GENERATED_STALE',
  )
  assert.deepEqual(
    warnings.map((finding) => placeOf(finding, folder)),
    ['apis/more.gen.ts'],
  )
  assert.deepEqual(
    (await check(folder)).findings.filter(({ rule }) => rule === 'GENERATED_STALE'),
    [],
  )
})

test('tasks that nobody runs are a warning', async (t) => {
  const folder = write(t, goodFiles())
  const { findings } = await check(folder)
  const [warning] = findings.filter(({ rule }) => rule === 'ASYNC_OFF')
  assert.match(warning?.message ?? '', /declares tasks .*set with_async: true/)
})

test('hints are counted, listed where asked for, with their places, and are no errors', async (t) => {
  const files = goodFiles()
  const folder = write(t, {
    ...files,
    'apis/more.yaml': `${files['apis/more.yaml']}components:\n  schemas:\n    Odd: { type: object, required: [nowhere], properties: { a: { type: string } } }\n`,
  })
  const counted = await check(folder)
  assert.equal(counted.hints, 1)
  assert.deepEqual(
    counted.findings.filter(({ severity }) => severity === 'hint'),
    [],
  )
  const [hint] = (await check(folder, true)).findings.filter(({ severity }) => severity === 'hint')
  assert.equal(hint?.rule, 'no-required-schema-properties-undefined')
  assert.equal(hint && placeOf(hint, folder), 'apis/more.yaml:10:37')
  assert.match(hint?.message ?? '', /nowhere/)
})

test('secrets are never told', async (t) => {
  const files = goodFiles()
  const folder = write(t, {
    ...files,
    'macaron.yaml': 'name: x\njwt_secret: hush-hush\nseal_keys: 12345678\n',
  })
  const errors = errorsOf(await check(folder), folder).join('\n')
  assert.match(errors, /seal_keys must be/)
  assert.doesNotMatch(errors, /hush|12345678/)
})

test('a key file that was cut is told, and left as it is', async (t: TestContext) => {
  const files = goodFiles()
  const folder = write(t, { ...files, 'macaron.yaml': 'name: x\n', '.macaron/jwt.key': 'cut\n' })
  const errors = await assertAgree(folder)
  assert.match(errors.join('\n'), /^\.macaron\/jwt\.key KEY_FILE This file holds no key/)
  assert.equal(readFileSync(join(folder, '.macaron/jwt.key'), 'utf8'), 'cut\n')
})
