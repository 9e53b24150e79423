import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { copyOf } from './support/folders.ts'
import { startService } from './support/service.ts'

interface Kept {
  /** Modes of the kept keys. */
  readonly seal: number
  readonly jwt: number
  readonly command?: 'start' | 'dev'
  readonly lines?: string
}

/** What a service with kept keys of these modes says of them at its start. */
async function saidOfKeys(t: TestContext, { seal, jwt, command = 'start', lines = '' }: Kept) {
  const folder = copyOf(t, 'bench', { files: { 'macaron.yaml': `name: bench\nwith_async: true\n${lines}` } })
  const state = join(folder, '.macaron')
  mkdirSync(state)
  for (const [name, mode] of [
    ['seal.key', seal],
    ['jwt.key', jwt],
  ] as const) {
    writeFileSync(join(state, name), 'k'.repeat(32))
    chmodSync(join(state, name), mode)
  }
  const service = await startService(t, { folder, command })
  await service.says(/bench is up/)
  assert.deepEqual(
    readdirSync(state).filter((name) => name.startsWith('mode')),
    [],
  )
  const said = service.output.matchAll(
    /WARN: macaron: \S+\/(\w+)\.key is a key, and its mode (\d+).*chmod 600/g,
  )
  return [...said].map(([, name, mode]) => `${name} ${mode}`)
}

const noModes = process.platform === 'win32' && 'files have no modes here'

test('keys that every user of the machine can read or change are told once at start', {
  skip: noModes,
}, async (t) => {
  assert.deepEqual(await saidOfKeys(t, { seal: 0o644, jwt: 0o622 }), ['seal 644', 'jwt 622'])
  assert.deepEqual(await saidOfKeys(t, { seal: 0o666, jwt: 0o600, command: 'dev' }), ['seal 666'])
})

test('keys that only their owner and a group can read, or that are not used, are not', async (t) => {
  const configured = `jwt_secret: ${'s'.repeat(32)}\n`
  assert.deepEqual(await saidOfKeys(t, { seal: 0o660, jwt: 0o644, lines: configured }), [])
})
