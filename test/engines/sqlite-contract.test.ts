import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from '../../src/engines/engine.ts'
import { openSqlite, type SqliteOptions } from '../../src/engines/sqlite/engine.ts'
import { describeEngineContract, type OpenedEngine } from '../../src/testing/engine-suite.ts'

async function openStore(options: Omit<SqliteOptions, 'folder'>): Promise<OpenedEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'macaron-test-'))
  const engines: Engine[] = []
  const open = async () => {
    const engine = await openSqlite({ ...options, folder })
    engines.push(engine)
    return engine
  }
  return {
    engine: await open(),
    second: open,
    close: async () => {
      await Promise.all(engines.map((engine) => engine.close()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

describeEngineContract({
  name: 'sqlite, as a worker opens it',
  open: () => openStore({ role: 'worker', sync: 'full' }),
})

describeEngineContract({
  name: 'sqlite, as a server opens it',
  open: () => openStore({ role: 'server', sync: 'normal' }),
})
