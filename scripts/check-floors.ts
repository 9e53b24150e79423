import { checkFloors } from './floors/check.ts'
import { report } from './source/faults.ts'

/** `node scripts/check-floors.ts [root]`, default: the working directory. Fails where an import goes the wrong way. */
report('check-floors', checkFloors(process.argv[2] ?? '.'))
