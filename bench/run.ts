import { rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { boot } from './boot.ts'
import { code } from './code.ts'
import { drain } from './drain.ts'
import { endpoint } from './endpoint.ts'
import { fire } from './fire.ts'
import type { Bed } from './harness/bed.ts'
import { buildPackage } from './harness/built.ts'
import { loader } from './harness/load.ts'
import { installPeers } from './harness/peers.ts'
import { runFolder } from './harness/places.ts'
import { family } from './harness/processes.ts'
import { startRedis } from './harness/redis.ts'
import { json, type Row, table } from './harness/report.ts'
import { killIfThere } from './harness/service.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { million } from './million.ts'
import { hasCelery } from './peers/celery.ts'
import { recovery } from './recovery.ts'
import { scale } from './scale.ts'
import { together } from './together.ts'
import { upkeep } from './upkeep.ts'

/**
 * Runs all benches or those named: `npm run bench -- [name …] [--rounds N] [--seconds N] [--json FILE]`. Ours and the peers' are measured in turn,
 * round by round; ratios are taken round by round. Medians are held against the goals.
 */
const benches = [
  endpoint,
  code,
  fire,
  together,
  drain,
  latency,
  memory,
  recovery,
  boot,
  million,
  scale,
  upkeep,
]
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
})

const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(
    `No bench is called ${unknown.join(', ')}; there are ${benches.map(({ name }) => name).join(', ')}`,
  )
  process.exit(1)
}

log('building the package')
buildPackage()
installPeers(log)
await using redis = await startRedis()
if (!hasCelery) log('no celery on this machine: it is left out')
if (redis === undefined) log('no redis-server on this machine: BullMQ and bee-queue are left out')
const bed: Bed = { rounds: Number(values.rounds), seconds: Number(values.seconds), redis, log }

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abandon())

console.log(
  `\nNode ${process.versions.node}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}, load by ${loader}`,
)
console.log(
  `${values.rounds} rounds in turn, windows of ${values.seconds} s; medians (ratios taken round by round)`,
)
const rows: Row[] = []
for (const bench of benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  log(`${bench.name}: ${bench.question}`)
  const own = await bench.run(bed)
  console.log(`\n${table(own)}`)
  rows.push(...own)
  // After each, so that a run that is stopped has told what it knows.
  if (values.json !== undefined) writeFileSync(values.json, json(rows))
}
rmSync(runFolder, { recursive: true, force: true })

/** Ends what it has started too. */
function abandon(): never {
  for (const pid of family(process.pid)) if (pid !== process.pid) killIfThere(pid)
  process.exit(130)
}

function log(text: string): void {
  console.error(`bench: ${text}`)
}
