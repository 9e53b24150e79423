import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from '../../src/engines/engine.ts'
import { openSqlite, type SqliteOptions } from '../../src/engines/sqlite/engine.ts'
import { MemoryStore } from '../../src/engines/sqlite/memory.ts'
import { describeEngineContract, type OpenedEngine } from '../../src/testing/engine-suite.ts'

async function openInFolder(options: Omit<SqliteOptions, 'folder'>): Promise<OpenedEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'macaron-test-'))
  return openStore({ ...options, folder }, () => rmSync(folder, { recursive: true, force: true }))
}

async function openInMemory(): Promise<OpenedEngine> {
  const store = new MemoryStore()
  return openStore({ role: 'worker', sync: 'normal', folder: store.file }, () => store.close())
}

async function openStore(options: SqliteOptions, remove: () => void): Promise<OpenedEngine> {
  const engines: Engine[] = []
  const open = async () => {
    const engine = await openSqlite(options)
    engines.push(engine)
    return engine
  }
  return {
    engine: await open(),
    second: open,
    close: async () => {
      await Promise.all(engines.map((engine) => engine.close()))
      remove()
    },
  }
}

describeEngineContract({
  name: 'sqlite, as a worker opens it',
  open: () => openInFolder({ role: 'worker', sync: 'full' }),
})

describeEngineContract({
  name: 'sqlite, as a server opens it',
  open: () => openInFolder({ role: 'server', sync: 'normal' }),
})

describeEngineContract({ name: 'sqlite, in memory', open: openInMemory })
