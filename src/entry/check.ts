import { checkService } from '../check.ts'
import { obeyParent, tellParent } from '../supervisor/parent.ts'
import { endWithFailure } from './run.ts'
import { surviveStrayErrors } from './stray-errors.ts'

/** Checks a service for `macaron check`. Its arguments are the folder, and `hints` where those are to be listed. */
const [, , folder = '.', hints] = process.argv

// The command's own output is the report: what modules print while they are imported goes beside it.
process.stdout.write = process.stderr.write.bind(process.stderr)
surviveStrayErrors()
obeyParent({ stop: () => process.exit(0) })
try {
  const report = await checkService({ folder, hints: hints === 'hints' })
  tellParent({ type: 'ready', report })
} catch (error) {
  endWithFailure(error)
}
