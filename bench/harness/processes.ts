import { readdirSync, readFileSync } from 'node:fs'

/** What Linux tells about processes: who descends from whom, processor time, memory. */

const ticksPerSecond = 100

/** A process and all that descend from it. */
export function family(pid: number): readonly number[] {
  const parents = new Map(livingPids().map((one) => [one, parentOf(one)]))
  const found = [pid]
  for (const one of found) {
    for (const [child, parent] of parents) if (parent === one) found.push(child)
  }
  return found
}

/** The parent of a process; undefined when it has ended. */
export function parentOf(pid: number): number | undefined {
  const parent = statOf(pid)?.[1]
  return parent === undefined ? undefined : Number(parent)
}

/** Processor time that a process and its descendants have used, in µs; steps of 10 ms. */
export function cpuMicros(pid: number): number {
  const ticks = family(pid).map((one) => {
    const stat = statOf(one)
    return Number(stat?.[11] ?? 0) + Number(stat?.[12] ?? 0)
  })
  return (sum(ticks) / ticksPerSecond) * 1e6
}

/** Memory of a process and its descendants, pages shared between processes counted in parts (PSS), in MiB. */
export function pssMiB(pid: number): number {
  return (
    sum(family(pid).map((one) => Number(/^Pss:\s+(\d+) kB/m.exec(read(one, 'smaps_rollup'))?.[1] ?? 0))) /
    1024
  )
}

/** The fields of `/proc/<pid>/stat` after the name: state, parent, … */
function statOf(pid: number): readonly string[] | undefined {
  const text = read(pid, 'stat')
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function livingPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // It has ended since.
    return ''
  }
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, one) => total + one, 0)
}
