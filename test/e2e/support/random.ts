/** Chance that can be had again: the seed is printed by whoever makes one, and taken from MACARON_SEED where that is set. */
export interface Random {
  readonly seed: number
  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number
  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly [T, ...T[]]): T
}

/** A new source of chance; says its seed through `tell`. */
export function seeded(tell: (line: string) => void): Random {
  const seed = Number(process.env.MACARON_SEED ?? Math.floor(Math.random() * 2 ** 31))
  tell(`seed ${seed}: have the same again with MACARON_SEED=${seed}`)
  return randomFrom(seed)
}

/** mulberry32: small, and good enough to choose when to kill. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return { seed, whole, pick: (items) => items[whole(0, items.length - 1)] ?? items[0] }
}
