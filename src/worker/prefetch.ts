import type { Lease } from '../engines/engine.ts'
import { type Hand, sizeOf } from './hand.ts'
import type { Pace } from './pace.ts'

/**
 * How much an executor may have in hand. Beyond what it runs at a time it gets more only so that the channel is never empty: tasks known to be short, 16
 * times as many at most, that together run no longer than 50 ms and take no more than 1 Mi characters.
 */
export interface Limits {
  readonly concurrency: number
  readonly pace: Pace
}

/** Whether this one may join what is in hand. */
export function mayJoin(hand: Hand, lease: Lease, { concurrency, pace }: Limits): boolean {
  if (hand.count < concurrency) return true
  if (hand.count >= concurrency * factor) return false
  const ms = hand.expectedMs + pace.expected(lease.message.name)
  return ms <= longestMs && hand.size + sizeOf(lease) <= largestSize
}

/** How many more may join, if they are like what has run lately. */
export function roomOf(hand: Hand, { concurrency, pace }: Limits): number {
  const free = Math.max(0, concurrency - hand.count)
  const spareMs = longestMs - hand.expectedMs
  const typicalMs = Math.max(pace.typical(), 0.01)
  if (!Number.isFinite(spareMs) || !Number.isFinite(typicalMs)) return free
  return Math.max(free, Math.min(concurrency * factor - hand.count, Math.floor(spareMs / typicalMs)))
}

const factor = 16
const longestMs = 50
const largestSize = 2 ** 20
