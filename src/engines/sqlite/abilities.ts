import type { Abilities } from '../engine.ts'

/** What the embedded store can do. */
export const sqliteAbilities: Abilities = {
  name: 'sqlite',
  atomicEnqueue: true,
  overlaps: false,
  manyMachines: false,
}
