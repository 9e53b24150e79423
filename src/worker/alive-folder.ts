import { asError, MacaronError, StoreError } from '../core/errors.ts'

/** What went wrong in the folder of locks, which lies beside the tasks, as a failure of the store: what can be tried again. */
export function aliveFolderError(folder: string, thrown: unknown): MacaronError {
  if (thrown instanceof MacaronError) return thrown
  return new StoreError(
    'STORE_UNWRITABLE',
    `${folder}, where workers and executors say that they are alive, can't be used (${asError(thrown).message}). Give this user the right to write there, and see that its disk has space.`,
    { cause: thrown },
  )
}
