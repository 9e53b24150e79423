import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** A living process, as Linux tells. */
export interface LivingProcess {
  readonly pid: number
  readonly command: string
}

/** Whether this system can tell which processes there are. */
export const canListProcesses = existsSync('/proc/self/cmdline')

/** The processes, besides this one, that work in `folder` or were started from files in it. */
export function processesIn(folder: string): readonly LivingProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => processIn(Number(name), folder))
}

function processIn(pid: number, folder: string): LivingProcess[] {
  try {
    const command = readFileSync(join('/proc', String(pid), 'cmdline'), 'utf8')
      .replaceAll('\0', ' ')
      .trim()
    const works = readlinkSync(join('/proc', String(pid), 'cwd'))
    return command.includes(folder) || works.startsWith(folder) ? [{ pid, command }] : []
  } catch {
    // It has ended since, or belongs to someone else.
    return []
  }
}
