import { report } from './source/faults.ts'
import { checkStyle } from './style/check.ts'

/** `node scripts/check-style.ts [root]`, default: the working directory. Prints how long things are; fails where a rule is broken. */
const { faults, table } = checkStyle(process.argv[2] ?? '.')
console.log(table)
report('check-style', faults)
