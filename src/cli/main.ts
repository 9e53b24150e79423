import { program } from './program.ts'
import { reportFailure } from './failure.ts'

/** The `macaron` command. */
program()
  .parseAsync()
  .catch((error: unknown) => reportFailure(error))
