import type { Fault } from '../source/faults.ts'
import { sourceFiles } from '../source/files.ts'
import { circleFaults } from './circles.ts'
import { floorFaults } from './floors.ts'
import { placeFaults } from './places.ts'

/** Holds `src` of `root` against the floors of ARCHITECTURE.md. */
export function checkFloors(root: string): readonly Fault[] {
  const files = sourceFiles(root, 'src')
  return [...floorFaults(files), ...circleFaults(files), ...placeFaults(files)]
}
