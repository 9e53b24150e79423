import type { Store } from './store.ts'

/** Resolves where Redis takes writes now. @throws StoreError where it does not. */
export async function probe({ link, own }: Store): Promise<void> {
  await link.use((client) => client.set(own.probe, '1', 'PX', 1_000))
}
