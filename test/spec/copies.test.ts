import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Checker } from '../../src/spec/checker.ts'
import { Revivers } from '../../src/spec/reviver.ts'
import { api3 } from './support/specs.ts'

/** What is done once, or not at all, however many values there are. */

const api = api3({
  schemas: `
Person: { type: object, required: [id, password], properties: { id: { type: integer, readOnly: true }, password: { type: string, writeOnly: true } } }
Team: { type: object, properties: { head: { $ref: '#/components/schemas/Person' }, deputy: { $ref: '#/components/schemas/Person' },
  others: { type: array, items: { $ref: '#/components/schemas/Person' } } } }`,
})
const { Person = assert.fail(), Team = assert.fail() } = api.schemas

test('checks of one direction look at the properties that they are about, and at no others', () => {
  let looks = 0
  const value = {
    id: 1,
    get other() {
      looks++
      return 'large'
    },
  }
  const check = new Checker(api).check(Person)
  assert.deepEqual([check.fits(value, 'reply'), check.fits(value, 'request'), looks], [true, false, 0])
})

test('a property that JSON does not show is none: inherited, hidden or undefined', () => {
  const check = new Checker(api).check(Person)
  const inherited = Object.assign(Object.create({ password: 'p' }), { id: 1 })
  const hidden = Object.defineProperty({ id: 1 }, 'password', { value: 'p', enumerable: false })
  for (const value of [inherited, hidden, { id: 1, password: undefined }]) {
    assert.deepEqual([check.fits(value, 'reply'), check.fits(value, 'request')], [true, false])
  }
  assert.deepEqual(check.fits({ id: 1, password: null }, 'reply'), false)
})

test('what makes a model is asked for once, wherever it is referred to', () => {
  const asked: string[] = []
  const maker = (model: string) => {
    asked.push(model)
    return (data: object) => data
  }
  const revive = new Revivers({ checker: new Checker(api), maker }).fieldsOf(Team, new Set())
  revive.fill({}, { head: { id: 1 }, deputy: { id: 2 }, others: [{ id: 3 }, { id: 4 }] })
  assert.deepEqual(asked, ['Person'])
})
