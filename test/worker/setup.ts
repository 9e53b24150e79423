import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type EventName, type Events, on } from '../../src/core/events.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { startWorker, type Worker, type WorkerOptions } from '../../src/worker/worker.ts'
import { ownFolder } from '../support/folder.ts'
import { MemoryEngine } from '../support/memory-engine.ts'
import { until } from '../support/until.ts'

export const executorEntry = new URL('./fixtures/executor.ts', import.meta.url).pathname

export interface Setup {
  readonly worker: Worker
  readonly engine: MemoryEngine
  /** Where tasks note their starts. */
  readonly file: string
  readonly folder: string
  notes(what?: string): Note[]
}

export interface Note {
  readonly what: string
  readonly id: string
  readonly pid: number
  readonly at: number
}

/** A worker on an engine in memory, with executors that run the tasks of fixtures/executor.ts. Everything is killed when the test ends. */
export async function setUp(test: TestContext, options: Partial<WorkerOptions> = {}): Promise<Setup> {
  const folder = ownFolder(test)
  const engine = new MemoryEngine()
  const worker = await startWorker({ ...workerOptions(folder), engine: asEngine(engine), ...options })
  test.after(() => worker.kill())
  const file = join(folder, 'notes')
  const notes = (what?: string) => readNotes(file).filter((note) => what === undefined || note.what === what)
  return { worker, engine, file, folder, notes }
}

export function workerOptions(folder: string): Omit<WorkerOptions, 'engine'> {
  return {
    executors: 2,
    concurrency: 10,
    entry: executorEntry,
    args: [],
    aliveFolder: join(folder, 'alive'),
    stopTimeoutMs: 2000,
    retention: { failed: 3_600_000 },
  }
}

/** The worker only consumes and finds; a call of anything else would throw. */
export function asEngine(engine: MemoryEngine): Engine {
  return engine as Pick<Engine, 'enqueue' | 'consume' | 'find'> as Engine
}

/** Waits until this many executors are ready. */
export async function allReady({ worker }: Setup, count: number): Promise<void> {
  await until(() => worker.executors().filter(({ ready }) => ready).length === count, {
    what: `${count} ready executors`,
  })
}

/** What was said under an event's name while the test runs. */
export function heard<Name extends EventName>(test: TestContext, name: Name): Events[Name][] {
  const details: Events[Name][] = []
  test.after(on(name, (detail) => details.push(detail)))
  return details
}

function readNotes(file: string): Note[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line))
}
