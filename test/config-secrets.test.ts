import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { settingNames } from '../src/config-keys.ts'
import { faultsOf, load } from './support/config.ts'

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

  test('that are not set are as good as absent to what needs none', (t) => {
    const loaded = load(t, source, { environment: { SHOP_OLD: 'old!' }, needsSecrets: false })
    assert.deepEqual([loaded.jwt_secret, loaded.seal_keys], [undefined, ['old!']])
    const without = load(t, source, { environment: {}, needsSecrets: false })
    assert.deepEqual([without.seal_keys, without.values.plain], [[], 'SHOP_OTHER'])
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
