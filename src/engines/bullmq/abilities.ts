import type { Abilities } from '../engine.ts'

/** What tasks on Redis can do: machines share them, but the messages of one `enqueue` are stored one after another. */
export const bullmqAbilities: Abilities = {
  name: 'bullmq',
  atomicEnqueue: false,
  overlaps: true,
  manyMachines: true,
}
