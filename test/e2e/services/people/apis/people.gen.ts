// Made by Macaron from people.yaml: change that, not this. [7:3d2b47df26f35b594e2cca197aa2f6ff]
/* eslint-disable */
import { defineModels, Model, type Result } from 'macaron'
import type { PersonParent } from '../people/models.ts'

export class Person extends Model<PersonInit> {
  declare name: string
  declare born: Date
  declare address?: Address
  declare friends?: Person[]
}

/** What Person has of its parent. */
export interface Person extends Pick<PersonParent, keyof PersonParent> {}

/** What `new Person` takes. */
export interface PersonInit {
  readonly name: string
  readonly born: Date | string
  readonly address?: AddressInit | undefined
  readonly friends?: readonly PersonInit[] | undefined
}

export class Address extends Model<AddressInit> {
  declare city: string
}

/** What `new Address` takes. */
export interface AddressInit {
  readonly city: string
}

export class Seen extends Model<SeenInit> {
  declare seen: { [name: string]: unknown }
  declare task: string
}

/** What `new Seen` takes. */
export interface SeenInit {
  readonly seen: { [name: string]: unknown }
  readonly task: string
}

/** POST /people/{id} */
export type Change = (body: Person, parameters: { id: number; loud: boolean; delay: number }) => Result<{ 200: SeenInit }>

/** GET /anonymous */
export type Anonymous = () => Result<{ 200: SeenInit }>

defineModels(new URL('./people.yaml', import.meta.url), {
  Person,
  Address,
  Seen,
}, {
  Person: 'people.models.PersonParent',
})

declare module 'macaron' {
  interface ApiModelTypes {
    'people b174112c': {
      people: {
        Person: typeof Person
        Address: typeof Address
        Seen: typeof Seen
      }
    }
  }
}
