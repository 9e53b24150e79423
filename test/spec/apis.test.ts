import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apisOf } from '../../src/spec/apis.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { api3 } from './support/specs.ts'

function setUp() {
  const registry = new ModelRegistry()
  const account = 'Account: { type: object, properties: { name: { type: string } } }\nNames: { type: array }'
  registry.addApis([
    api3({ name: 'shop', schemas: account }),
    api3({
      name: 'bank',
      schemas:
        'Account: { type: object, properties: { iban: { type: string } } }\nToken: { type: object, properties: { t: {} } }',
    }),
  ])
  return { registry, apis: apisOf(registry) }
}

test('models are found by API and name; two APIs may have one of the same name', () => {
  const { registry, apis } = setUp()
  const { shop, bank } = apis
  assert.equal(shop?.Account, registry.find('shop', 'Account'))
  assert.notEqual(shop?.Account, bank?.Account)
  assert.deepEqual({ ...bank?.Account?.from({ iban: 'x' }) }, { iban: 'x' })
  assert.equal(apis.shop, shop)
})

test('what there is can be listed', () => {
  const { apis } = setUp()
  assert.deepEqual(Object.keys(apis), ['shop', 'bank'])
  assert.deepEqual(Object.keys(apis.bank ?? {}), ['Account', 'Token'])
  assert.deepEqual(Object.entries(apis.shop ?? {}), [['Account', apis.shop?.Account]])
  assert('shop' in apis && !('chop' in apis) && !('Names' in (apis.shop ?? {})))
})

test('what there is not is told with the nearest name', () => {
  const { apis } = setUp()
  assert.throws(() => apis.chop, {
    code: 'MODEL_UNKNOWN',
    message: /There is no API chop here\. Did you mean "shop"\?/,
  })
  assert.throws(() => apis.shop?.Acount, {
    code: 'MODEL_UNKNOWN',
    message: /no model Acount in the API shop\. Did you mean "Account"\?/,
  })
  assert.throws(() => apis.shop?.constructor, { code: 'MODEL_UNKNOWN' })
  assert.throws(() => Object.assign(apis, { shop: {} }), TypeError)
})
