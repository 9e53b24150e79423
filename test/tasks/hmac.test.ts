import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import { Hmac } from '../../src/tasks/hmac.ts'

suite('HMAC-SHA-256 by two hashes', () => {
  test('is that of RFC 4231, test cases 1 and 2', () => {
    const cases = [
      [
        '0b'.repeat(20),
        '4869205468657265',
        'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
      ],
      [
        Buffer.from('Jefe').toString('hex'),
        Buffer.from('what do ya want for nothing?').toString('hex'),
        '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
      ],
    ] as const
    for (const [key, text, expected] of cases) {
      const hmac = new Hmac(Buffer.from(key, 'hex'))
      assert.equal(hex(hmac.of(Buffer.from(text, 'hex').toString())), expected)
    }
  })

  test('is what Node’s own gives, for keys and texts of all lengths around a block and around the room for them', () => {
    const lengths = [0, 1, 55, 56, 63, 64, 65, 1000, 21_823, 21_824, 21_825, 65_472, 65_473, 300_000]
    for (const keyLength of [1, 32, 63, 64, 65, 131]) {
      const key = Buffer.alloc(keyLength, 0xa7)
      const hmac = new Hmac(key)
      for (const length of lengths) {
        for (const letter of ['x', 'é', '漢', '🍪', '\ud800', '\0']) {
          const text = letter.repeat(length)
          assert.equal(hmac.of(text), createHmac('sha256', key).update(text).digest('base64url'))
        }
      }
    }
  })
})

function hex(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('hex')
}
