import { MacaronError, openService } from 'macaron'
import { tasks } from '../tasks/bench.ts'

/** Fires from outside any request, as a nightly job would. Prints what a test wants to know. */
await using service = await openService({ folder: process.argv[2] ?? '.', user: { sub: 'nightly' } })

const id = await service.run(() => tasks.note.fire('from a script').id)
const failed = await service
  .run(() => {
    tasks.note.fire('never')
    throw new Error('as the test asked')
  })
  .catch((error: Error) => error.message)
const waited = await service.run(async () => {
  const handle = await tasks.returns.fire.now('waited for', { answer: 42n })
  const result = await handle.result({ timeout: '10s' })
  const { state } = await handle.status()
  return { result: String(Object.values(Object(result))[0]), state }
})
const outside = codeOf(() => tasks.note.fire('outside'))
const here = await tasks.returns('here and now', 'just the function')

function codeOf(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error instanceof MacaronError ? error.code : error
  }
}

console.log(JSON.stringify({ id, failed, waited, outside, here }))
