import { codeOf } from '../../core/errors.ts'
import { type Held, lockMs } from './held.ts'
import type { Store } from './store.ts'

/** Renews the leases of all that is held. Those that have run out while Redis was away hold again, unless somebody else has taken the task. */
export async function renew(store: Store, held: readonly Held[]): Promise<void> {
  if (held.length === 0) return
  const left = new Set(await notExtended(store, held))
  await Promise.all(held.filter(({ message }) => left.has(message.id)).map((one) => lockAgain(store, one)))
}

/** The ids of those that BullMQ has not renewed: on a full Redis it renews none. */
async function notExtended({ link, queue }: Store, held: readonly Held[]): Promise<readonly string[]> {
  const ids = held.map(({ message }) => message.id)
  const tokens = held.map(({ token }) => token)
  try {
    return await link.use(() => queue.extendLocks(ids, tokens, lockMs))
  } catch (error) {
    if (codeOf(error) !== 'STORE_FULL') throw error
    return ids
  }
}

/** For another `lockMs`. False where somebody else has it, or it is no longer running. @throws StoreError. */
export async function lockAgain(store: Store, { message, token, starts }: Held): Promise<boolean> {
  const { link, scripts, keys } = store
  const { id } = message
  const used = [keys.job(id), keys.lock(id), keys.active, keys.stalled]
  return (await link.use(() => scripts.lockAgain(used, [id, token, lockMs, starts]))) === 1
}
