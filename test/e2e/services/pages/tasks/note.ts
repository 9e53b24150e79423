import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { asyncTask } from 'macaron'

const says = 'zero'

/** Gives what this file says; while there is a file `hang` in the service's folder it doesn't end. */
export const note = asyncTask(async function note() {
  while (existsSync(new URL('../hang', import.meta.url))) await delay(10)
  return says
})
