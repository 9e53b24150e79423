import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

test('every error code of the sources is explained in docs/errors.md', () => {
  const guide = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  const missing = codesOfSources().filter((code) => !guide.includes(`\`${code}\``))
  assert.deepEqual(missing, [])
})

/** Codes as they stand in `new SomeError('CODE'` and in the helpers that pass one on. */
function codesOfSources(): readonly string[] {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('testing'))
    .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
  const codes = sources.flatMap((source) =>
    [...source.matchAll(/'([A-Z]{2,}(?:_[A-Z]+)+)'/g)].map((match) => match[1] ?? ''),
  )
  return [...new Set(codes)].filter((code) => !foreign.test(code)).toSorted()
}

/** Names of Node's, Fastify's and the environment's. */
const foreign = /^(EAI_|FST_|HPE_|ERR_|PYM_|MACARON_|NODE_|STAGE_ORDER|PIPELINE_SKIPPED)/
