import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { note as noteTask } from '../tasks/note.ts'
import { theWord } from './the-word.ts'

export const word = () => ({ word: theWord, pid: process.pid })

/** Answers once there is a file `go` in the service's folder. */
export async function slow() {
  console.log('slow begins')
  while (!existsSync(new URL('../go', import.meta.url))) await delay(10)
  return { word: theWord, pid: process.pid }
}

export const note = () => ({ id: noteTask.fire().id })
