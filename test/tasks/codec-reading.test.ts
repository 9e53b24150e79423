import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { MessageError } from '../../src/core/errors.ts'
import { decode } from '../../src/tasks/codec.ts'
import { models } from './support.ts'
import { key } from './values.ts'

suite('what the codec reads', () => {
  const undecodable: readonly string[] = [
    '',
    '{',
    'undefined',
    '[{"$":"nonsense","v":1}]',
    '{"$":null}',
    '{"$":{"$":"date"}}',
    '{"$":"__proto__"}',
    '{"$":"toString","v":1}',
    '{"$":"bigint","v":"x"}',
    '{"$":"bigint","v":"0x10"}',
    '{"$":"bigint","v":12}',
    '{"$":"number","v":"12"}',
    '{"$":"number","v":[]}',
    '{"$":"date","v":"soon"}',
    '{"$":"date"}',
    '{"$":"map","v":{}}',
    '{"$":"map","v":[[1]]}',
    '{"$":"map","v":[[1,2,3]]}',
    '{"$":"map","v":[null]}',
    '{"$":"set","v":"abc"}',
    '{"$":"buffer","v":[1,2]}',
    '{"$":"bytes","type":"Uint16Array","v":"AQ=="}',
    '{"$":"bytes","type":"BigInt64Array","v":"AAAA"}',
    '{"$":"bytes","type":"Function","v":"AAAA"}',
    '{"$":"bytes","type":"__proto__","v":"AAAA"}',
    '{"$":"bytes","v":"AAAA"}',
    '{"$":"url","v":"not a url"}',
    '{"$":"url","v":{}}',
    '{"$":"error","v":1,"name":"x"}',
    '{"$":"error","v":"x"}',
    '{"$":"error","v":"x","name":{}}',
    '{"$":"model"}',
    '{"$":"model","api":"shop","name":"Money","v":null}',
    '{"$":"model","api":"shop","name":"Gone","v":{}}',
    '{"$":"model","api":["shop"],"name":"Money","v":{}}',
    `${'{"$":"set","v":['.repeat(20_000)}1${']}'.repeat(20_000)}`,
    `["$",${'['.repeat(200_000)}${']'.repeat(200_000)}]`,
  ]

  for (const text of undecodable) {
    test(`${text.slice(0, 60)} is undecodable`, () => {
      assert.throws(() => decode(text, models), { code: 'UNDECODABLE', reason: 'undecodable' })
    })
  }

  test('text of any kind gives a value or UNDECODABLE, and leaves prototypes alone', () => {
    const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))
    const tag = fc.constantFrom(
      ...['undefined', 'number', 'bigint', 'date', 'map', 'set', 'buffer', 'bytes', 'url', 'error', 'model'],
      ...['__proto__', 'constructor', 'x'],
    )
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.record({ $: tag, v: tie('json'), type: fc.constantFrom('Uint8Array', 'x'), name: tie('json') }),
        fc.dictionary(key, tie('json'), { maxKeys: 3 }),
        fc.array(tie('json'), { maxLength: 3 }),
      ),
    }))
    fc.assert(
      fc.property(
        fc.oneof(
          json.map((made) => JSON.stringify(made)),
          fc.string(),
        ),
        (text) => {
          try {
            decode(text, models)
          } catch (error) {
            assert.ok(error instanceof MessageError && error.reason === 'undecodable', String(error))
          }
        },
      ),
      { seed: 4, numRuns: 5000 },
    )
    assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), before)
    assert.equal(Reflect.get({}, 'v'), undefined)
  })

  test('the message of an unreadable value does not quote it', () => {
    for (const text of [
      '["hunter2", oops',
      '[{"$":"url","v":"hunter2"}]',
      '[{"$":"bigint","v":"hunter2"}]',
    ]) {
      assert.throws(
        () => decode(text, models),
        (error: Error) => !`${error.message}${error.cause}`.includes('hunter2'),
      )
    }
  })

  test('an unknown model is named, with the reason', () => {
    assert.throws(() => decode('{"$":"model","api":"shop","name":"Gone","v":{}}', models), {
      message: /shop\.Gone.*no model shop\.Gone/,
    })
  })
})
