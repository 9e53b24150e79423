import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withoutTokens } from '../../src/core/secrets.ts'
import { shortened } from '../../src/core/shortened.ts'

test('a text is cut behind a word, and says how much is left out', () => {
  assert.equal(shortened('one two', 7), 'one two')
  assert.equal(shortened('one two three', 7), 'one two [6 more characters]')
  assert.equal(shortened('one two three', 9), 'one two [6 more characters]')
  assert.equal(shortened('x'.repeat(20), 8), ' [20 more characters]')
})

test('wherever a text is cut, no part of a token or secret in it is left', () => {
  const secrets = [
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl_-',
    'Bearer hunter2.hunter2~hunter2+hunter2==',
    '/reset?a=1&password=hunter2,hunter2;hunter2&b=2',
    '{"url":"/x?api_key=hunter2hunter2","n":1}',
  ]
  const tellsNothing = (text: string) => !/hunter2|eyJzdWI|c2lnbm|eyJhbGc/.test(withoutTokens(text))
  fc.assert(
    fc.property(
      fc.constantFrom(...secrets),
      fc.lorem({ maxCount: 5 }),
      fc.nat(120),
      (secret, words, longest) => tellsNothing(shortened(`${words} ${secret} ${words}`, longest)),
    ),
    { seed: 1, numRuns: 5000 },
  )
})
