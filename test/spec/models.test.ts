import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { loadApi } from '../../src/spec/load.ts'
import { defineModels, ModelRegistry } from '../../src/spec/model-registry.ts'
import { Model, ModelError } from '../../src/spec/models.ts'
import { decode, encode } from '../../src/tasks/codec.ts'
import { api3, folder } from './support/specs.ts'

const schemas = `
Account:
  type: object
  required: [name]
  properties:
    name: { type: string, minLength: 1 }
    born: { type: string, format: date-time, nullable: true }
    tags: { type: array, items: { type: string }, default: [] }
    address: { $ref: '#/components/schemas/Address' }
    others: { type: object, additionalProperties: { $ref: '#/components/schemas/Address' } }
    parent: { x-nullable: true, allOf: [{ $ref: '#/components/schemas/Account' }] }
    pet: { oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }] }
Address:
  type: object
  required: [city]
  additionalProperties: false
  properties: { city: { type: string }, since: { type: string, format: date-time } }
Cat: { type: object, required: [meow], properties: { meow: { type: string } } }
Dog: { type: object, required: [bark], properties: { bark: { type: string, format: date-time } } }
Admin: { allOf: [{ $ref: '#/components/schemas/Address' }, { type: object, required: [level], properties: { level: { type: integer } } }] }
Alias: { $ref: '#/components/schemas/Address' }
Names: { type: array, items: { type: string } }`

type Free = (new (init: object) => Model & Readonly<Record<string, unknown>>) & Pick<typeof Model, 'from'>

/** A registry with the models of one API, made from its schemas. */
function setUp() {
  const models = new ModelRegistry()
  models.addApis([api3({ name: 'shop', schemas })])
  const find = (name: string): Free => {
    const found = models.find('shop', name)
    assert(found, name)
    // What it takes is checked when it runs.
    return found as unknown as Free
  }
  return { models, find }
}

const when = new Date('2026-11-23T10:00:00.000Z')

test('a model is checked when it is made; the error names path, value and rule of every fault', () => {
  const Account = setUp().find('Account')
  assert.throws(
    () => new Account({ name: '', address: { town: 'x' }, tags: 'a' }),
    (error: unknown) => {
      assert(error instanceof ModelError)
      assert.equal(error.code, 'MODEL_INVALID')
      assert.deepEqual(error.faults.map(({ path, message }) => `${path} ${message}`).sort(), [
        'Account.address.city is required',
        'Account.address.town is not a known property.',
        'Account.name must not be empty',
        'Account.tags must be a list, not "a"',
      ])
      return error.message.startsWith('This is no Account: ')
    },
  )
  assert.throws(() => Account.from([]), /must be an object, not a list/)
  assert.throws(() => Account.from(null), ModelError)
})

test('data becomes Dates and nested models; instances that are given stay themselves', () => {
  const { models, find } = setUp()
  const [Account, Address] = [find('Account'), find('Address')]
  const address = new Address({ city: 'Rome' })
  const account = new Account({
    name: 'Ada',
    born: when.toISOString(),
    address,
    others: { a: { city: 'Oslo', since: when.toISOString() } },
    parent: { name: 'Byron' },
    pet: { bark: when.toISOString() },
  })
  assert.deepEqual(account.born, when)
  assert.equal(account.address, address)
  const nameOf = (value: unknown) => models.nameOf(Object(value))?.name
  const { others } = account
  assert.equal(nameOf(account.parent), 'Account')
  assert.equal(nameOf(account.pet), 'Dog')
  assert.deepEqual(Object(account.pet).bark, when)
  assert.equal(nameOf(Object(others).a), 'Address')
  assert.deepEqual(Object(others).a.since, when)
})

test('defaults are filled in, fresh ones each time, and undefined is as good as absent', () => {
  const Account = setUp().find('Account')
  const [one, two] = [
    new Account({ name: 'a' }),
    new Account({ name: 'b', tags: undefined, born: undefined }),
  ]
  assert.deepEqual({ ...one }, { name: 'a', tags: [] })
  assert.deepEqual({ ...two }, { name: 'b', tags: [] })
  assert.notEqual(one.tags, two.tags)
})

test('an instance spreads, lists its keys and turns into JSON like a plain object', () => {
  const Account = setUp().find('Account')
  const data = { name: 'Ada', born: when, tags: ['x'], address: { city: 'Rome' } }
  const account = new Account(data)
  assert.deepEqual(Object.keys(account), ['name', 'born', 'tags', 'address'])
  assert.deepEqual({ ...account, address: { ...Object(account.address) } }, data)
  assert.equal(JSON.stringify(account), JSON.stringify(data))
  assert.equal(JSON.stringify({ in: [account] }), JSON.stringify({ in: [data] }))
  assert.deepEqual(account.toJSON(), JSON.parse(JSON.stringify(data)))
  assert.notEqual(account.toJSON(), account)
})

test('a clone shares nothing with its original', () => {
  const Account = setUp().find('Account')
  const account = new Account({ name: 'Ada', born: when, tags: ['x'], address: { city: 'Rome' } })
  const copy = account.clone()
  assert.deepEqual(copy, account)
  for (const part of ['born', 'tags', 'address']) assert.notEqual(copy[part], account[part], part)
})

test('whatever an account holds, it survives toJSON and from', () => {
  const { find } = setUp()
  const Account = find('Account')
  const date = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
  const address = fc.record({ city: fc.string(), since: date }, { requiredKeys: ['city'] })
  const account = fc.record(
    {
      name: fc.string({ minLength: 1 }),
      born: fc.option(date),
      tags: fc.array(fc.string()),
      address,
      others: fc.dictionary(fc.string(), address),
      pet: fc.oneof(fc.record({ meow: fc.string() }), fc.record({ bark: date })),
    },
    { requiredKeys: ['name'] },
  )
  fc.assert(
    fc.property(account, (data) => {
      const made = new Account(data)
      assert.deepEqual(Account.from(made.toJSON()), made)
      assert.deepEqual(Account.from(JSON.parse(JSON.stringify(made))), made)
      assert.deepEqual(made.clone(), made)
    }),
    { seed: 5, numRuns: 200 },
  )
})

test('a model travels through the codec of tasks and is the same again', () => {
  const { models, find } = setUp()
  const account = new (find('Account'))({ name: 'Ada', born: when, address: { city: 'Rome' } })
  const text = encode([{ account }], { models, what: 'argument', maxBytes: 10_000 })
  assert.deepEqual(decode(text, models), [{ account }])
})

test('a revived model is not checked, and an unknown one is refused', () => {
  const { models } = setUp()
  const revived = models.revive('shop', 'Address', JSON.parse('{"town":1,"__proto__":{"x":1}}'))
  assert.deepEqual(models.nameOf(revived), { api: 'shop', name: 'Address' })
  assert.deepEqual(Object.keys(revived), ['town', '__proto__'])
  assert.throws(() => models.revive('shop', 'Nix', {}), { code: 'MODEL_UNKNOWN' })
  assert.throws(() => models.revive('shpo', 'Address', {}), /Did you mean "shop"\?/)
})

test('only objects with properties are models: no lists, no other names', () => {
  const { models } = setUp()
  const known = ['Account', 'Address', 'Admin', 'Alias', 'Names', 'constructor']
  assert.deepEqual(
    known.map((name) => models.find('shop', name)?.name),
    ['Account', 'Address', 'Admin', undefined, undefined, undefined],
  )
  assert.equal(models.nameOf(new Date()), undefined)
  assert.equal(models.nameOf({}), undefined)
})

test('a class without a spec says what to extend', () => {
  class Own extends Model {}
  assert.throws(() => new Own(), {
    code: 'MODEL_UNDEFINED',
    message: /^Own extends Model, but no spec defines it/,
  })
})

test('a generated class works without a service: its spec is loaded when the first model is made', async (context) => {
  const path = await folder(context, {
    'solo.yaml': `openapi: 3.0.0\npaths: {}\ncomponents:\n  schemas:\n    Ping: { type: object, required: [n], properties: { n: { type: integer } } }\n`,
  })
  class Ping extends Model<{ readonly n: number }> {
    declare n: number
  }
  defineModels(pathToFileURL(join(path, 'solo.yaml')), { Ping })
  assert.equal(new Ping({ n: 1 }).n, 1)
  assert(Ping.from({ n: 2 }) instanceof Ping)
  assert.throws(() => Ping.from({ n: 'x' }), { code: 'MODEL_INVALID' })
})

test('a generated class whose spec is missing says so when it is used, not when it is imported', async (context) => {
  const path = await folder(context)
  class Ping extends Model {}
  defineModels(pathToFileURL(join(path, 'gone.yaml')), { Ping })
  assert.throws(() => new Ping(), { code: 'SPEC_MISSING', message: /gone\.yaml/ })
})

for (const order of ['class first', 'spec first']) {
  test(`bodies are instances of the generated class, whichever is known first: ${order}`, async (context) => {
    const path = await folder(context, {
      'both.yaml': `openapi: 3.0.0\npaths: {}\ncomponents:\n  schemas:\n    Ping: { type: object, properties: { n: { type: integer } } }\n`,
    })
    const file = join(path, 'both.yaml')
    class Ping extends Model {}
    const models = new ModelRegistry()
    const api = await loadApi(file, { basePath: 'apply' })
    const steps = [() => models.define(file, { Ping }), () => models.addApis([api])]
    for (const step of order === 'class first' ? steps : steps.toReversed()) step()
    assert.equal(models.find('both', 'Ping'), Ping)
    assert(models.of(api).revivers.of({ $ref: '#/schemas/Ping' })?.({ n: 1 }) instanceof Ping)
    models.addApis([await loadApi(file, { basePath: 'apply' })])
    assert.equal(models.find('both', 'Ping'), Ping)
  })
}

test('subclasses make instances of themselves, and are known as their model', () => {
  const { models, find } = setUp()
  class Town extends find('Address') {
    get shout() {
      return String(this.city).toUpperCase()
    }
  }
  const town = Town.from({ city: 'Rome' })
  assert(town instanceof Town)
  assert.equal(Object(town).shout, 'ROME')
  assert.deepEqual(models.nameOf(town), { api: 'shop', name: 'Address' })
})

test('a model that was assigned something else is refused when a task is fired with it, with its path; results and contexts take it as it is', () => {
  const { models, find } = setUp()
  const Account = find('Account')
  const account = new Account({ name: 'Ada', address: { city: 'Bern' }, born: '2026-01-01T00:00:00Z' })
  const options = { models, what: 'argument of mail', maxBytes: 10_000 }
  encode([{ to: [account] }], { ...options, checksModels: true })
  Reflect.set(account, 'name', '')
  Reflect.set(account.address as object, 'town', 'Basel')
  assert.throws(() => encode([{ to: [account] }], { ...options, checksModels: true }), {
    code: 'ARGUMENT_INVALID',
    message: /argument of mail\[0\]\.to\[0\]: This is no Account: .*name.*address\.town/s,
  })
  encode([{ to: [account] }], options)
})
