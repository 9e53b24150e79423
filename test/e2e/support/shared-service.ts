import { after } from 'node:test'
import type { Ending } from './at-end.ts'
import { type RunningService, type StartOptions, startService } from './service.ts'

/** One service for those tests of a file that leave each other alone: started by the first that asks for it, ended with the file. */
export function sharedService(options: StartOptions = {}): () => Promise<RunningService> {
  return shared((file) => startService(file, options))
}

/** The same for more than a service: made once, by the first test that asks for it. What is made for `file` is ended with the file. */
export function shared<T>(make: (file: Ending) => Promise<T>): () => Promise<T> {
  const ends: (() => void | Promise<void>)[] = []
  after(async () => {
    for (const end of ends) await end()
  })
  let made: Promise<T> | undefined
  return () => (made ??= make({ after: (end) => void ends.push(end) }))
}
