import { reportFailure } from './failure.ts'
import { program } from './program.ts'

/** The `macaron` command. */
program()
  .parseAsync()
  .catch((error: unknown) => reportFailure(error))
