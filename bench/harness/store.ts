import { loadConfig } from '../../src/config.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { openStore } from '../../src/store.ts'

/** Opens the task store of a service's folder, to ask it how far it has come. */
export async function storeOf(folder: string): Promise<Engine & AsyncDisposable> {
  const engine = await openStore(loadConfig({ folder }), 'worker')
  return Object.assign(engine, { [Symbol.asyncDispose]: () => engine.close() })
}

/** How many tasks have been done. */
export async function doneIn(engine: Engine): Promise<number> {
  return (await engine.counts()).done
}
