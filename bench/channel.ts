/**
 * How fast worker and executors are without a store: tasks per second through N executors with everything else real (channel, seal, codec, context), on an
 * engine in memory, and the time from enqueue to start when idle. Usage: node bench/channel.ts [executors=2] [tasks=60000] [concurrency=10]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monotonicMs } from '../src/worker/clock.ts'
import { startWorker } from '../src/worker/worker.ts'
import { MemoryEngine } from '../test/support/memory-engine.ts'
import { until } from '../test/support/until.ts'
import { messageOf } from '../test/worker/messages.ts'
import { asEngine, executorEntry } from '../test/worker/setup.ts'

const [executors = 2, tasks = 60_000, concurrency = 10] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'macaron-bench-'))
const engine = new MemoryEngine()
engine.keepLog = false
const worker = await startWorker({
  engine: asEngine(engine),
  executors,
  concurrency,
  entry: executorEntry,
  args: [],
  aliveFolder: join(folder, 'alive'),
  stopTimeoutMs: 1000,
  retention: { failed: 1000 },
})
await until(() => worker.executors().filter(({ ready }) => ready).length === executors, { what: 'executors' })

const args = [{ title: 'Welcome!', body: 'x'.repeat(120) }]
const user = { sub: 'user-1', name: 'Ada', roles: ['reader'] }
await drain(5000)
for (let round = 0; round < 3; round++) await drain(tasks)
await latency(500)
await worker.stop()
rmSync(folder, { recursive: true, force: true })

async function drain(count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => messageOf('quick', args, { user }))
  const cpu = process.cpuUsage()
  const executorCpu = executorsCpuUs()
  const began = performance.now()
  await engine.enqueue(messages)
  await until(() => engine.rows.size === 0, { what: 'the end', timeoutMs: 120_000, everyMs: 5 })
  const ms = performance.now() - began
  const { user: own, system } = process.cpuUsage(cpu)
  console.log(
    `${Math.round((count / ms) * 1000)} tasks/s through ${executors} executors; CPU per task: worker ${((own + system) / count).toFixed(1)} us, executors ${((executorsCpuUs() - executorCpu) / count).toFixed(1)} us`,
  )
}

/** What the executors have used so far, where /proc tells (proc(5), fields 14 and 15, in ticks of 10 ms). */
function executorsCpuUs(): number {
  return worker.executors().reduce((sum, { pid }) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return sum + (Number(fields[11]) + Number(fields[12])) * 10_000
  }, 0)
}

/** From enqueue to the first line of the task: it returns the monotonic time, which is the same in both processes. */
async function latency(count: number): Promise<void> {
  const times: number[] = []
  engine.keepLog = true
  for (let n = 0; n < count; n++) {
    const message = messageOf('clock')
    const sent = monotonicMs()
    await engine.enqueue([message])
    const outcome = await until(() => engine.rows.get(message.id)?.outcome, { what: 'it', everyMs: 1 })
    if (outcome.kind === 'done') times.push(Number(JSON.parse(outcome.result)) - sent)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(2)
  console.log(`enqueue to start: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`)
}
