// Made by Macaron from people.yaml: change that, not this. [1:7c38f9bd9d6027de6204caeb339ba2ab]
/* eslint-disable */
import { defineModels, Model, type Result } from 'macaron'

export class Person extends Model<PersonInit> {
  declare name: string
  declare born: Date
  declare address?: Address
  declare friends?: Person[]
}

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
export type Change = (body: Person, parameters: { id: number; loud: boolean; delay: number }) => Result<SeenInit>

/** GET /anonymous */
export type Anonymous = () => Result<SeenInit>

defineModels(new URL('./people.yaml', import.meta.url), {
  Person,
  Address,
  Seen,
})
