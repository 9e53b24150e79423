import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { didYouMean, nearest } from '../../src/core/nearest.ts'

test('a slip of the keyboard finds the name that was meant', () => {
  const known = ['worker_count', 'worker_concurrency', 'broker_url', 'jwt_secret']
  assert.equal(nearest('worker_cuont', known), 'worker_count')
  assert.equal(nearest('brokerurl', known), 'broker_url')
  assert.equal(nearest('jwt-secrets', known), 'jwt_secret')
})

test('snake case and camel case are the same word', () => {
  assert.equal(nearest('do_signup_user', ['doLogin', 'doSignupUser']), 'doSignupUser')
})

test('nothing near is nothing found', () => {
  assert.equal(nearest('retries', ['port', 'name']), undefined)
  assert.equal(nearest('', []), undefined)
  assert.equal(didYouMean('zzz', ['port']), '')
})

test('the nearer of two wins, and the sentence names it', () => {
  assert.equal(nearest('start', ['stat', 'star', 'strat']), 'stat')
  assert.equal(nearest('serv', ['server', 'serve']), 'serve')
  assert.equal(didYouMean('serv', ['server', 'serve']), ' Did you mean "serve"?')
})

test('a word with one letter changed is always found when it stands alone', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{3,12}$/), fc.nat(11), (word, at) => {
      const index = at % word.length
      const typo = `${word.slice(0, index)}0${word.slice(index + 1)}`
      assert.equal(nearest(typo, [word]), word)
    }),
    { seed: 1, numRuns: 300 },
  )
})
