import { appendFileSync } from 'node:fs'
import { asyncTask, config, currentRequest, currentUser } from 'macaron'
import { Hello, type Question } from '../apis/helloworld.gen.ts'

/** The endpoints of PyMacaron's example, ported: the same names, one module. */

export function doHello() {
  return new Hello({ message: `hello ${currentUser()?.sub ?? 'stranger'}!` })
}

export function doHelloWithInheritance(question: Question) {
  return new Hello({ message: question.answer() })
}

export function doCrash() {
  throw new Error('a bug of this service, of which callers learn nothing')
}

export const writeDown = asyncTask(async function writeDown(what: string) {
  const note = {
    what,
    path: currentRequest()?.path,
    user: currentUser()?.sub,
    place: config().uuid_file_path,
  }
  appendFileSync(new URL('../notes.ndjson', import.meta.url), `${JSON.stringify(note)}\n`)
})

export const fail = asyncTask(async function fail(what: string) {
  throw new Error(`${what} went wrong in the task`)
})

export function doAsync() {
  writeDown.fire('later')
  return new Hello({ message: 'the task runs after this' })
}

export function doAsyncDie() {
  fail.fire('something')
  return new Hello({ message: 'the task fails after this' })
}
