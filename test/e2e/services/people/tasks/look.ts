import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { asyncTask, currentTask, setContext } from 'macaron'
import { Address, Person } from '../apis/people.gen.ts'
import { seen } from '../people/seen.ts'

const file = join(import.meta.dirname, '..', 'looks.ndjson')

/** Writes down its context and what its arguments have become. */
export const look = asyncTask(function look({
  person,
  again,
}: {
  person: Person
  again: Map<string, Person[]>
}) {
  const friend = person.friends?.[0]
  const facts = {
    isPerson: person instanceof Person,
    name: person.name,
    born: person.born instanceof Date ? person.born.toISOString() : typeof person.born,
    isAddress: person.address instanceof Address,
    isFriend: friend instanceof Person,
    isMap: again instanceof Map,
    isPersonInMap: again.get('of')?.[0] instanceof Person,
    isOld: person.isOld,
    twin: person.twin().twin().name,
    age: friend?.ageIn(1800),
  }
  appendFileSync(file, `${JSON.stringify({ task: currentTask(), seen: seen(), facts })}\n`)
})

/** A task whose own task must see the same, and what it has set itself. */
export const pass = asyncTask(function pass() {
  setContext({ plan: 'platinum' })
  look.fire({ person: new Person({ name: 'child', born: new Date(0) }), again: new Map() })
})
