import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../../core/errors.ts'
import { type Machine, presentMachine } from './machine.ts'
import { waitYielding } from './patience.ts'
import { Reader } from './reader.ts'
import type { Store } from './store.ts'

/** Longer than the time between two signs of life. */
const watchMs = 6_000

/**
 * Opens the store. Where another machine's sign of life is young by the wall clock, that may be a clock that is off, or this machine
 * before a reboot: it is watched for a while, and the store is taken over if no further sign comes.
 * @throws StoreError where it can't be opened, `STORE_ELSEWHERE` where another machine is using it.
 */
export async function openPatiently(store: Store): Promise<void> {
  try {
    await waitYielding(() => store.tryOpen(), store.file)
  } catch (error) {
    if (codeOf(error) !== 'STORE_ELSEWHERE') throw error
    const silent = await watchMachine(store.file)
    if (silent === undefined) throw error
    await waitYielding(() => store.tryOpen(silent), store.file)
  }
}

/** The machine that has the store, if it gave no sign of life for a while. */
async function watchMachine(file: string): Promise<Machine | undefined> {
  const reader = new Reader(file)
  try {
    const first = await reader.read(presentMachine)
    const end = performance.now() + watchMs
    while (performance.now() < end) {
      await delay(watchMs / 20)
      const now = await reader.read(presentMachine)
      if (now?.boot !== first?.boot || now?.beatAt !== first?.beatAt) return undefined
    }
    return first
  } finally {
    reader.close()
  }
}
