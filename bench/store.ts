import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Consumer, Consumption, Engine } from '../src/engines/engine.ts'
import { openSqlite } from '../src/engines/sqlite/engine.ts'
import { newTaskId } from '../src/tasks/ids.ts'
import type { TaskMessage } from '../src/tasks/message.ts'

/**
 * What the embedded task store does by itself: `node bench/store.ts [tasks]`. Rows a second for storing (on the loop, with what
 * that costs the loop) and for claiming and settling (kept), empty and beside `tasks` (default 1,000,000) queued or settled ones; reads
 * beside them; and the time from a fire in one process to its lease in another.
 */
const many = Number(process.argv[2] ?? 1_000_000)
const rounds = 5
const context = 'c'.repeat(420)

function makeMessage(over: Partial<TaskMessage> = {}): TaskMessage {
  const now = Date.now()
  return {
    id: newTaskId(now),
    name: 'sendEmail',
    queue: 'default',
    priority: 0,
    runAt: 0,
    firedAt: now,
    atMostOnce: false,
    args: '["Welcome!","You now have an account"]',
    options: '{"retries":0}',
    context,
    ...over,
  }
}

const makeMessages = (count: number, over: Partial<TaskMessage> = {}) =>
  Array.from({ length: count }, () => makeMessage(over))

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

function say(what: string, figures: Readonly<Record<string, string | number>>): void {
  const listed = Object.entries(figures).map(([name, value]) => `${name} ${value}`)
  console.log(`${what.padEnd(46)} ${listed.join('   ')}`)
}

const inFolder = async (work: (folder: string) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), 'macaron-bench-'))
  await work(folder).finally(() => rmSync(folder, { recursive: true, force: true }))
}

async function enqueueAll(engine: Engine, messages: readonly TaskMessage[], size: number): Promise<void> {
  for (let at = 0; at < messages.length; at += size) await engine.enqueue(messages.slice(at, at + size))
}

async function benchEnqueue(sync: 'full' | 'normal'): Promise<void> {
  await inFolder(async (folder) => {
    const engine = await openSqlite({ folder, sync, role: 'server' })
    await engine.enqueue(makeMessages(1))
    for (const size of [1, 10, 100]) {
      const rates: number[] = []
      const costs: number[] = []
      for (let round = 0; round < rounds; round++) {
        const messages = makeMessages(size === 1 ? 2_000 : 100 * size)
        const started = performance.now()
        const used = process.threadCpuUsage()
        await enqueueAll(engine, messages, size)
        const cpu = process.threadCpuUsage(used)
        rates.push((messages.length / (performance.now() - started)) * 1000)
        costs.push((cpu.user + cpu.system) / messages.length)
      }
      say(`enqueue ${sync}, batches of ${size}`, {
        'rows/s': Math.round(median(rates)),
        'loop µs/row': median(costs).toFixed(1),
      })
    }
    await engine.close()
  })
}

/** Consumes until `count` tasks are settled and kept. */
async function drain(engine: Engine, count: number): Promise<number> {
  const started = performance.now()
  let settled = 0
  let consumption: Consumption | undefined
  await new Promise<void>((done) => {
    const expiresAt = Date.now() + 3_600_000
    let held = 0
    const consumer: Consumer = {
      names: () => [],
      keys: () => [],
      slots: () => ({ ordinary: Math.max(0, 200 - held), alone: 1 }),
      sweep: async () => true,
      run(leases) {
        held += leases.length
        for (const lease of leases)
          void consumption
            ?.settle(lease, { kind: 'done', result: 'null', children: [], expiresAt })
            .then(() => {
              held--
              if (++settled === count) done()
              if (held === 100) consumption?.more()
            })
      },
    }
    void engine.consume(consumer).then((begun) => {
      consumption = begun
    })
  })
  const rate = (settled / (performance.now() - started)) * 1000
  await consumption?.stop()
  return rate
}

async function benchDrain(what: string, folder: string, count: number): Promise<void> {
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) {
    const engine = await openSqlite({ folder, sync: 'normal', role: 'worker' })
    if ((await engine.counts()).queued < count) await enqueueAll(engine, makeMessages(count), 100)
    rates.push(await drain(engine, count))
    await engine.close()
  }
  say(what, { 'rows/s': Math.round(median(rates)), rounds: rates.map(Math.round).join(' ') })
}

async function benchReads(what: string, folder: string): Promise<void> {
  const engine = await openSqlite({ folder, sync: 'normal', role: 'worker' })
  const timed = async (work: () => Promise<unknown>) => {
    await work()
    const started = performance.now()
    await work()
    return `${(performance.now() - started).toFixed(2)} ms`
  }
  say(what, {
    counts: await timed(() => engine.counts()),
    health: await timed(() => engine.health()),
    'list newest': await timed(() => engine.list({})),
    'list failed': await timed(() => engine.list({ state: 'failed' })),
    'list a rare name': await timed(() => engine.list({ name: 'rare' })),
  })
  const sizes = [1, 100]
  for (const size of sizes) {
    const messages = makeMessages(100 * size, { runAt: Date.now() + 3_600_000 })
    const started = performance.now()
    await enqueueAll(engine, messages, size)
    say(`${what}: enqueue normal, on the loop, ${size}`, {
      'rows/s': Math.round((messages.length / (performance.now() - started)) * 1000),
    })
  }
  await engine.close()
}

async function benchMany(): Promise<void> {
  await inFolder((folder) => benchDrain('claim + settle, kept, empty store', folder, 20_000))
  await inFolder(async (folder) => {
    const engine = await openSqlite({ folder, sync: 'normal', role: 'worker' })
    const started = performance.now()
    for (let stored = 0; stored < many; stored += 10_000) await enqueueAll(engine, makeMessages(10_000), 100)
    say(`enqueue normal, on the loop, ${many}`, {
      'rows/s': Math.round((many / (performance.now() - started)) * 1000),
    })
    await engine.close()
    await benchReads(`${many} queued`, folder)
    await benchDrain(`claim + settle, kept, ${many} queued`, folder, 20_000)
    const rest = await openSqlite({ folder, sync: 'normal', role: 'worker', keptTasks: 2 * many })
    say('claim + settle, kept, the rest of them', {
      'rows/s': Math.round(await drain(rest, (await rest.counts()).queued)),
    })
    await rest.close()
    await benchReads(`${many} settled`, folder)
    await benchDrain(`claim + settle, kept, ${many} settled`, folder, 20_000)
  })
}

/** The time from `enqueue` in this process, idle, to `run` in another. */
async function benchLatency(sync: 'full' | 'normal'): Promise<void> {
  await inFolder(async (folder) => {
    const engine = await openSqlite({ folder, sync, role: 'server' })
    await engine.enqueue([])
    const worker = fork(fileURLToPath(import.meta.url), ['consume', folder, sync])
    const waiting = new Map<string, (at: number) => void>()
    await new Promise((ready) => worker.once('message', ready))
    worker.on('message', (message) => {
      // The fixture below sends nothing else.
      const [id, at] = message as [string, number]
      waiting.get(id)?.(at)
    })
    const times: number[] = []
    for (let fired = 0; fired < 500; fired++) {
      const message = makeMessage()
      const started = monotonicMs()
      const leased = new Promise<number>((resolve) => waiting.set(message.id, resolve))
      await engine.enqueue([message])
      times.push((await leased) - started)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
    }
    const sorted = times.toSorted((a, b) => a - b)
    const at = (part: number) => `${sorted[Math.floor(sorted.length * part)]?.toFixed(2)} ms`
    say(`fire to lease in another process, ${sync}`, { p50: at(0.5), p99: at(0.99), max: at(0.9999) })
    worker.kill()
    await engine.close()
  })
}

/** How long a batch of ten waits for its answer while a worker in another process claims and settles without a pause. */
async function benchTogether(sync: 'full' | 'normal'): Promise<void> {
  await inFolder(async (folder) => {
    const engine = await openSqlite({ folder, sync, role: 'server' })
    await enqueueAll(engine, makeMessages(100_000), 100)
    const worker = fork(fileURLToPath(import.meta.url), ['consume', folder, sync, 'in silence'])
    await new Promise((ready) => worker.once('message', ready))
    const started = performance.now()
    const before = (await engine.counts()).done
    const times: number[] = []
    while ((await engine.counts()).queued > 0) {
      const stored = performance.now()
      await engine.enqueue(makeMessages(10))
      times.push(performance.now() - stored)
    }
    const seconds = (performance.now() - started) / 1000
    const sorted = times.toSorted((a, b) => a - b)
    const at = (part: number) => `${sorted[Math.floor(sorted.length * part)]?.toFixed(2)} ms`
    say(`enqueue 10 beside a worker that drains, ${sync}`, {
      p50: at(0.5),
      p99: at(0.99),
      max: at(0.9999),
      'stored/s': Math.round((times.length * 10) / seconds),
      'drained/s': Math.round(((await engine.counts()).done - before) / seconds),
    })
    worker.kill()
    await engine.close()
  })
}

/** The same clock in all processes of a machine. */
const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6

/** Takes and settles what comes; tells its parent of each lease, unless in silence: a message costs more than the task. */
async function consumeHere(folder: string, sync: 'full' | 'normal', inSilence: boolean): Promise<void> {
  const engine = await openSqlite({ folder, sync, role: 'worker' })
  const consumption: Consumption = await engine.consume({
    names: () => [],
    keys: () => [],
    slots: () => ({ ordinary: 100, alone: 1 }),
    sweep: async () => true,
    run(leases) {
      const at = monotonicMs()
      for (const lease of leases) {
        if (!inSilence) process.send?.([lease.message.id, at])
        const expiresAt = Date.now() + 3_600_000
        void consumption.settle(lease, { kind: 'done', result: 'null', children: [], expiresAt })
      }
    },
  })
  process.send?.('ready')
}

if (process.argv[2] === 'consume') {
  // Forked by benchLatency with these.
  const sync = process.argv[4] === 'full' ? 'full' : 'normal'
  await consumeHere(process.argv[3] ?? '', sync, process.argv[5] === 'in silence')
} else {
  await benchEnqueue('normal')
  await benchEnqueue('full')
  await benchLatency('normal')
  await benchLatency('full')
  await benchTogether('normal')
  await benchTogether('full')
  await benchMany()
}
