import { readdirSync, readFileSync } from 'node:fs'

/** Finds the processes of one service under test in /proc, by a mark in their environment: also those whose parents have died. */

export type Role = 'macaron' | 'server' | 'worker' | 'executor'

export interface Found {
  readonly pid: number
  readonly role: Role
}

export const markVariable = 'MACARON_E2E_MARK'

/** The living processes that carry this mark; zombies don't count. */
export function processesOf(mark: string): readonly Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .flatMap((pid) => describe(pid, mark))
}

function describe(pid: number, mark: string): Found[] {
  if (!readProc(pid, 'environ').split('\0').includes(`${markVariable}=${mark}`)) return []
  if (isZombie(pid)) return []
  const script =
    readProc(pid, 'cmdline')
      .split('\0')
      .find((word) => /\.[jt]s$/.test(word)) ?? ''
  return [{ pid, role: roleOf(script) }]
}

function roleOf(script: string): Role {
  const role = /entry\/(?:dev-)?(server|worker|executor)\.[jt]s$/.exec(script)?.[1]
  return role === 'server' || role === 'worker' || role === 'executor' ? role : 'macaron'
}

/** Killed, but its parent has not asked for it yet. */
export function isZombie(pid: number): boolean {
  const stat = readProc(pid, 'stat')
  return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
}

/** How many files a process has open. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Resident memory in MiB. */
export function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readProc(pid, 'status'))?.[1] ?? 0) / 1024
}

/** Empty where the process has ended meanwhile. */
function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}

/** Sends a signal; a process that has ended meanwhile is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
