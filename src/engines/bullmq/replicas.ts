import { StoreError } from '../../core/errors.ts'
import type { Store } from './store.ts'

/** How long replicas may take to have what was written. */
const withinMs = 1_000

/**
 * Waits until as many replicas as the service asks for (`redis_wait`) have all that this connection has written: a failover loses none of it then.
 * @throws StoreError `STORE_UNREPLICATED` after a second.
 */
export async function replicated({ link, replicas }: Store): Promise<void> {
  if (replicas === 0) return
  const count = await link.use((client) => client.wait(replicas, withinMs))
  if (count < replicas) throw unreplicated(link.where, count, replicas)
}

export function unreplicated(where: string, count: number, wanted: number): StoreError {
  return new StoreError(
    'STORE_UNREPLICATED',
    `${where} has ${count} of the ${wanted} replicas that redis_wait asks for, or they are slow. See \`redis-cli INFO replication\`.`,
  )
}
