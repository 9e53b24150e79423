import type { Redis } from './redis.ts'
import type { Settings } from './service.ts'

/** The ways in which our services store tasks: embedded, flushed or not, and on Redis. */
export type Way = 'full' | 'normal' | 'redis'

/** Those that can be measured here. */
export function waysWith(redis: Redis | undefined): readonly Way[] {
  return redis === undefined ? ['full', 'normal'] : ['full', 'normal', 'redis']
}

/** Without a spool: what Redis can't take is to be seen. */
export function settingsFor(way: Way, redis: Redis | undefined): Settings {
  if (way !== 'redis') return { store_sync: way }
  return { broker_url: `redis://127.0.0.1:${redis?.port}`, spool: 'off' }
}
