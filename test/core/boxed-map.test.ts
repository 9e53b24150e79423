import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { BoxedMap } from '../../src/core/boxed-map.ts'

suite('a boxed map', () => {
  test('is a Map, whatever is done to it', () => {
    const step = fc.record({ what: fc.constantFrom('set', 'delete', 'get'), key: fc.nat(9), n: fc.nat() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const [boxed, plain] = [new BoxedMap<number, { n: number }>(), new Map<number, { n: number }>()]
        for (const { what, key, n } of steps) {
          if (what === 'set') {
            boxed.set(key, { n })
            plain.set(key, { n })
          } else if (what === 'delete') {
            assert.deepEqual(boxed.delete(key), plain.get(key))
            plain.delete(key)
          } else assert.deepEqual(boxed.get(key), plain.get(key))
          assert.deepEqual([boxed.size, boxed.has(key)], [plain.size, plain.has(key)])
          assert.deepEqual([...boxed.values()], [...plain.values()])
        }
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('may be changed while its values are read: what is deleted is left out', () => {
    const map = new BoxedMap<number, { n: number }>()
    for (let n = 0; n < 5; n++) map.set(n, { n })
    const seen: number[] = []
    for (const { n } of map.values()) {
      seen.push(n)
      map.delete(n + 1)
    }
    assert.deepEqual(seen, [0, 2, 4])
  })

  test('keeps nothing of what has left it: 100 MB go through one that is old, without a full collection', () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as (options?: { type: 'minor' }) => void
    const map = new BoxedMap<number, { load: number[] }>()
    map.set(-1, { load: [] })
    gc()
    gc()
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < 100_000; n++) {
      map.set(n, { load: new Array<number>(125).fill(n + 0.5) })
      map.delete(n - 64)
      if (n % 5_000 === 0) gc({ type: 'minor' })
    }
    gc({ type: 'minor' })
    const grown = (process.memoryUsage().heapUsed - before) / 2 ** 20
    // A Map keeps some 65.
    assert.ok(grown < 25, `${grown} MiB`)
  })
})
