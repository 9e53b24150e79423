import { type Bench, inRounds } from './harness/bed.ts'
import { Program } from './harness/program.ts'
import type { Row } from './harness/report.ts'
import { Samples } from './harness/samples.ts'

/**
 * A validated POST whose requests come by streams in memory. The calls to the system, which are most of what the other benches see of an endpoint and nearly all of their noise, are left
 * out; what is left is code.
 */
export const code: Bench = {
  name: 'code',
  question: 'What does the code of an endpoint cost, without sockets?',
  async run(bed) {
    const samples = new Samples()
    await inRounds(bed, async () => {
      for (const [way, entry] of Object.entries(entries)) samples.add(way, await microsOf(entry))
    })
    return rowsOf(samples)
  },
}

const entries = {
  macaron: './services/http-in-memory.ts',
  fastify: './peers/fastify-in-memory.ts',
}

const requests = 100_000

async function microsOf(entry: string): Promise<number> {
  await using program = await Program.start(new URL(entry, import.meta.url), [])
  // Until its code is compiled.
  await program.ask('serve', requests / 2)
  return await program.ask<number>('serve', requests)
}

function rowsOf(samples: Samples): readonly Row[] {
  const bench = 'code'
  return [
    {
      bench,
      what: 'our HTTP server / hand-written Fastify (replies written by schema, not checked)',
      unit: '× its time',
      figure: samples.ratio('macaron', 'fastify'),
    },
    { bench, what: 'our HTTP server', unit: 'µs a request', figure: samples.of('macaron') },
    { bench, what: 'hand-written Fastify', unit: 'µs a request', figure: samples.of('fastify') },
  ]
}
