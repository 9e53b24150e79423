import { Person } from '../apis/people.gen.ts'

/** What a Person can do. This module and the generated file know each other. */
export class PersonParent {
  constructor() {
    throw new Error('The constructor of a parent must never run')
  }

  get isOld(): boolean {
    return this.ageIn(2000) > 100
  }

  ageIn(this: object, year: number): number {
    return this instanceof Person ? year - this.born.getUTCFullYear() : Number.NaN
  }

  twin(this: Person): Person {
    return new Person({ ...this, name: `${this.name} again` })
  }
}
