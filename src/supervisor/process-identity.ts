import { readFileSync, readlinkSync } from 'node:fs'

/** What tells one process from every other, also when its pid is used again. Only Linux tells more than the pid. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in clock ticks since boot. */
  readonly pidStart?: string
  /** Which numbering of pids it lives in, and since which boot that counts. */
  readonly pidSpace?: string
}

/** The identity of the process that has this pid now. */
export function identityOf(pid: number): ProcessIdentity {
  const pidStart = readStat(pid)?.start
  const pidSpace = readPidSpace()
  return pidStart === undefined || pidSpace === undefined ? { pid } : { pid, pidStart, pidSpace }
}

/** Whether the process surely runs still, and is not a dead one that waits for its parent to notice. */
export function isStillRunning(identity: ProcessIdentity): boolean {
  if (identity.pidStart === undefined || identity.pidSpace !== readPidSpace()) return false
  const found = readStat(identity.pid)
  return found?.start === identity.pidStart && found.state !== 'Z' && found.state !== 'X'
}

/** Whether the pid of a process known to be alive may be used to kill it: it is a pid of this numbering, as far as the system tells. */
export function isReachable(identity: ProcessIdentity): boolean {
  return readPidSpace() === undefined || isStillRunning(identity)
}

/** State and start time of a process (proc(5): fields 3 and 22), or undefined where there is none or the system has no /proc. */
function readStat(pid: number): { state: string | undefined; start: string | undefined } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command name (field 2) is in parentheses and may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0], start: fields[19] }
  } catch {
    return undefined
  }
}

function readPidSpace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${readlinkSync('/proc/self/ns/pid')} ${boot}`
  } catch {
    return undefined
  }
}
