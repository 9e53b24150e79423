import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Checker } from '../../src/spec/checker.ts'
import { generate } from '../../src/spec/emit.ts'
import { ModelRegistry } from '../../src/spec/model-registry.ts'
import { api2, api3 } from './support/specs.ts'

const union = api3({
  schemas: `
Owner: { type: object, properties: { pet: { $ref: '#/components/schemas/Pet' }, other: { oneOf: [{ $ref: '#/components/schemas/Cat' }, { type: string }], discriminator: { propertyName: kind } } } }
Pet:
  oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }, { $ref: '#/components/schemas/Fish' }]
  discriminator: { propertyName: kind, mapping: { hound: '#/components/schemas/Dog', dog: Dog } }
  nullable: true
Cat: { type: object, required: [kind], properties: { kind: { type: string, enum: [cat] }, born: { type: string, format: date-time } } }
Dog: { type: object, required: [kind], properties: { kind: { type: string }, born: { type: string } } }
Fish: { type: object, required: [kind], properties: { kind: { type: string }, depth: { type: integer } } }`,
})

const family = `
Owner: { type: object, properties: { pet: { $ref: 'HOME/Pet' }, pets: { type: array, items: { $ref: 'HOME/Pet' } } } }
Pet: { type: object, discriminator: kind, required: [kind], properties: { kind: { type: string } } }
Cat: { allOf: [{ $ref: 'HOME/Pet' }, { type: object, required: [lives], properties: { lives: { type: integer }, mother: { $ref: 'HOME/Pet' } } }] }
Tiger: { allOf: [{ $ref: 'HOME/Cat' }, { type: object, required: [stripes], properties: { stripes: { type: integer } } }] }`

const versions = {
  '2.0': api2({ definitions: family.replaceAll('HOME', '#/definitions') }),
  '3.0': api3({
    schemas: family
      .replaceAll('HOME', '#/components/schemas')
      .replace('discriminator: kind', 'discriminator: { propertyName: kind }'),
  }),
}

function faultsIn(api: typeof union): (value: unknown) => readonly string[] {
  const check = new Checker(api).check({ $ref: '#/schemas/Owner' })
  return (value) => {
    const told = check.faults(value, 'request', 'body').map(({ path, message }) => `${path} ${message}`)
    assert.equal(check.fits(value, 'request'), told.length === 0, JSON.stringify([value, told]))
    return told
  }
}

test('a union is checked as the branch that its discriminator names, by mapping, by enum or by name', () => {
  const faults = faultsIn(union)
  const when = '2026-11-23T10:00:00Z'
  for (const pet of [
    { kind: 'cat', born: when },
    { kind: 'dog', born: 'x' },
    { kind: 'hound' },
    { kind: 'Fish', depth: 1 },
    null,
  ])
    assert.deepEqual(faults({ pet }), [])
  assert.deepEqual(faults({ pet: { kind: 'cat', born: 'x' } }), [
    'body.pet.born must be a date and time with a time zone, such as 2026-11-23T10:00:00Z, not "x"',
  ])
  assert.deepEqual(faults({ pet: { kind: 'cta' } }), [
    'body.pet.kind must be one of "cat", "Fish", "hound", "dog", not "cta". Did you mean "cat"?',
  ])
  assert.deepEqual(faults({ pet: {} }), ['body.pet.kind is required'])
  assert.deepEqual(faults({ pet: 3 }), ['body.pet must be an object, not 3'])
  // A union that holds more than references has no schemas to choose among.
  assert.deepEqual(faults({ other: 'x' }), [])
})

test('an object of a union becomes the model that its discriminator names', () => {
  const models = new ModelRegistry()
  models.addApis([union])
  const Owner = models.find('test', 'Owner')
  for (const [kind, name] of [
    ['cat', 'Cat'],
    ['hound', 'Dog'],
    ['Fish', 'Fish'],
  ] as const) {
    const owner = Owner?.from({ pet: { kind } })
    assert.equal(models.nameOf(Object(Object(owner).pet))?.name, name)
  }
})

for (const [version, api] of Object.entries(versions)) {
  test(`${version}: what is made from a schema with a discriminator may stand in its place, checked as what it says it is`, () => {
    const faults = faultsIn(api)
    const tiger = { kind: 'Tiger', lives: 9, stripes: 40 }
    assert.deepEqual(
      faults({
        pet: { kind: 'Cat', lives: 9, mother: tiger },
        pets: [tiger, { kind: 'Pet' }, { kind: 'Newt' }],
      }),
      [],
    )
    assert.deepEqual(
      faults({
        pet: { kind: 'Cat', lives: 'x', mother: { kind: 'Tiger', lives: 1 } },
        pets: [{}],
      }).toSorted(),
      [
        'body.pet.lives must be a whole number, not "x"',
        'body.pet.mother.stripes is required',
        'body.pets[0].kind is required',
      ],
    )
  })

  test(`${version}: it becomes the model of what it is, and its type is one of all of them`, () => {
    const models = new ModelRegistry()
    models.addApis([api])
    const pets = [{ kind: 'Cat', lives: 9 }, { kind: 'Tiger', lives: 9, stripes: 40 }, { kind: 'Newt' }]
    const owner = models.find('test', 'Owner')?.from({ pets })
    const made: readonly object[] = Object(owner).pets
    assert.deepEqual(
      made.map((pet) => models.nameOf(pet)?.name),
      ['Cat', 'Tiger', 'Pet'],
    )
    assert.deepEqual(models.find('test', 'Owner')?.from({ pets: made }), owner)
    const text = generate(api)
    assert.match(text, /declare pet\?: Pet \| Cat \| Tiger\n/)
    assert.match(text, /readonly pets\?: readonly \(PetInit \| CatInit \| TigerInit\)\[\]/)
  })
}

test('a discriminator that names no property, or maps to nothing, is a fault of the spec', () => {
  assert.throws(
    () => api3({ schemas: 'A: { discriminator: { propertyName: 3 } }' }),
    /"discriminator" must name a property, not 3/,
  )
  assert.throws(
    () =>
      api3({
        schemas: "A: { discriminator: { propertyName: a, mapping: { b: '#/components/schemas/B' } } }",
      }),
    /leads nowhere/,
  )
})
