import { setContext } from 'macaron'
import { Address, Person } from '../apis/people.gen.ts'
import { look, pass } from '../tasks/look.ts'
import { seen } from './seen.ts'

export function change(person: Person, { delay }: { id: number; loud: boolean; delay: number }) {
  setContext({ plan: 'gold', since: new Date(0), tags: new Set(['a']), home: new Address({ city: 'Ghent' }) })
  const task = look.with({ delay }).fire({ person, again: new Map([['of', [person]]]) })
  pass.fire()
  // What the task sees is what was fired, whatever happens to the object after.
  person.name = 'changed after the fire'
  return { seen: seen(), task: task.id }
}

export function anonymous() {
  const task = look.fire({ person: new Person({ name: 'nobody', born: new Date(0) }), again: new Map() })
  return { seen: seen(), task: task.id }
}
