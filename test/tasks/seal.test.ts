import assert from 'node:assert/strict'
import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { MessageError } from '../../src/core/errors.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { Seal, type Signed } from '../../src/tasks/seal.ts'
import { key, otherKey, sealed, signedMessage, stagedMessage } from './support.ts'

const secretContext = JSON.stringify({ callId: 'c', user: { sub: 'anna' }, token: { raw: 'hunter2' } })

/** What an executor does before it believes a message. */
function check(seal: Seal, message: TaskMessage): string {
  return seal.open(message)
}

suite('a sealed message', () => {
  test('is opened by any process with the key, and its context reads as it was', () => {
    const message = signedMessage(new Seal([key]), {}, secretContext)
    assert.equal(check(new Seal([key]), message), secretContext)
  })

  test('contexts of any text come back, in whatever order', () => {
    const [writer, reader] = [new Seal([key]), new Seal([key])]
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 3000 }), { maxLength: 4 }), (texts) => {
        const alone = texts.map((text) => signedMessage(writer, {}, text))
        const together = writer.sealAll(texts.map((text) => stagedMessage(text)))
        for (const messages of [alone, together]) {
          assert.deepEqual(
            messages.toReversed().map((one) => reader.open(one)),
            texts.toReversed(),
          )
        }
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('contexts of several processes come back, however large they are and whichever of them one reader gets, alone or together', () => {
    const reader = new Seal([key])
    const texts = Array.from({ length: 1500 }, (_, index) => `${index}:${'é'.repeat(lengthOf(index))}`)
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 20, maxLength: 60 })
    const messages = [new Seal([key]), new Seal([key])].flatMap((writer) =>
      writer.sealAll(texts.map((text) => stagedMessage(text))),
    )
    const choice = fc.record({
      lengths,
      picks: fc.shuffledSubarray([...messages.keys()]),
      isSorted: fc.boolean(),
    })
    fc.assert(
      fc.property(choice, ({ lengths, picks, isSorted }) => {
        const wanted = isSorted ? picks.toSorted((one, other) => one - other) : picks
        for (const together of groups(wanted, lengths)) {
          assert.deepEqual(
            reader.openAll(together.map((pick) => known(messages[pick]))),
            together.map((pick) => texts[pick % texts.length]),
          )
        }
      }),
      { seed: 1, numRuns: 40 },
    )
  })

  test('shows nothing of its context', () => {
    const { context } = signedMessage(new Seal([key]), {}, secretContext)
    for (const form of ['utf8', 'base64url', 'hex', 'latin1'] as const) {
      assert.ok(!context.includes(Buffer.from('hunter2').toString(form)))
      assert.ok(!context.includes(Buffer.from(key).toString(form)))
    }
    assert.match(context, /^v2\.[0-9a-f]{12}\.[\w-]{22}\.[0-9a-z]+\.[\w-]+\.[\w-]{22}$/)
  })

  test('is refused when any letter of any signed part is another', () => {
    const seal = new Seal([key])
    const message = signedMessage(seal, {}, secretContext)
    let tried = 0
    for (const part of ['id', 'name', 'args', 'options', 'context'] as const) {
      for (let at = 0; at < message[part].length; at++) {
        for (const letter of ['A', 'B', '.', '0', '\u0000', 'é']) {
          const text = message[part]
          if (text[at] === letter) continue
          const forged = { ...message, [part]: text.slice(0, at) + letter + text.slice(at + 1) }
          assert.throws(() => check(seal, forged), refusedOrUnknown, `${part} at ${at}`)
          tried++
        }
      }
    }
    assert.ok(tried > 1200, String(tried))
    assert.throws(() => check(seal, { ...message, firedAt: message.firedAt + 1 }), refused)
  })

  test('is refused when a part is cut, lengthened, emptied or swapped with another message’s', () => {
    const seal = new Seal([key])
    const [message, other] = [
      signedMessage(seal),
      signedMessage(seal, { name: 'sms', args: '[]' }, secretContext),
    ]
    for (const part of ['id', 'name', 'args', 'options', 'context'] as const) {
      const text = message[part]
      for (const changed of ['', text.slice(1), text.slice(0, -1), `${text} `, ` ${text}`, text + text]) {
        assert.throws(() => check(seal, { ...message, [part]: changed }), refusedOrUnknown)
      }
      if (part !== 'options') assert.throws(() => check(seal, { ...message, [part]: other[part] }), refused)
    }
  })

  test('is refused when random bytes of it are changed (20,000 times, seeded)', () => {
    const seal = new Seal([key])
    const message = signedMessage(seal, {}, secretContext)
    const part = fc.constantFrom('id', 'name', 'args', 'options', 'context', 'firedAt')
    fc.assert(
      fc.property(part, fc.nat(), fc.integer({ min: 1, max: 255 }), (name, place, flip) => {
        const forged = { ...message }
        if (name === 'firedAt') forged.firedAt = message.firedAt + flip
        else {
          const bytes = Buffer.from(message[name])
          const at = place % bytes.length
          bytes[at] = (bytes[at] ?? 0) ^ flip
          forged[name] = bytes.toString('latin1')
        }
        assert.throws(() => check(seal, forged), refusedOrUnknown)
      }),
      { seed: 2, numRuns: 20_000 },
    )
  })

  test('is refused where a column holds no text at all', () => {
    const seal = new Seal([key])
    const message = signedMessage(seal)
    for (const part of ['id', 'name', 'args', 'options', 'context', 'firedAt']) {
      for (const value of [null, undefined, 1.5, '1', new Uint8Array(3), Number.NaN]) {
        if (part === 'firedAt' || typeof value !== 'string') {
          // A store can hold what the type does not allow.
          const forged = { ...message, [part]: value } as TaskMessage
          assert.throws(() => seal.open(forged), refused)
        }
      }
    }
  })

  test('is refused when its letters are cut into fields in any other way', () => {
    const seal = new Seal([key])
    const fields = ['id', 'name', 'options', 'args'] as const
    const letters = 'abcdefgh'
    const cut = (ends: readonly number[]) => {
      const at = [...ends, letters.length]
      const parts = fields.map((field, index) => [
        field,
        letters.slice(index === 0 ? 0 : at[index - 1], at[index]),
      ])
      // The names are those of the fields, each with a text.
      return { firedAt: 1, ...Object.fromEntries(parts) } as Signed
    }
    const cuts: Signed[] = []
    for (let a = 0; a <= 8; a++)
      for (let b = a; b <= 8; b++) for (let c = b; c <= 8; c++) cuts.push(cut([a, b, c]))
    assert.equal(cuts.length, 165)
    for (const signed of cuts) {
      const { context } = sealed(seal, signed, 'x')
      for (const other of cuts) {
        if (other === signed) assert.equal(seal.open({ ...other, context }), 'x')
        else assert.throws(() => seal.open({ ...other, context }), refused)
      }
    }
  })
})

suite('keys', () => {
  test('a message under a key that is not configured is told apart from a forged one', () => {
    const message = signedMessage(new Seal([otherKey]))
    const expected = {
      code: 'UNKNOWN_KEY',
      reason: 'unknown_key',
      message: /goes on by itself where a worker has that key/,
    }
    assert.throws(() => new Seal([key]).open(message), expected)
  })

  test('while keys are rotated, processes with old, both and new keys read what they should', () => {
    const [before, after] = [new Seal([otherKey]), new Seal([key])]
    const [during, prepared] = [new Seal([key, otherKey]), new Seal([otherKey, key])]
    const [fromOld, fromNew] = [signedMessage(before), signedMessage(after)]
    for (const seal of [before, during, prepared]) assert.equal(check(seal, fromOld), '{"callId":"c"}')
    for (const seal of [after, during, prepared]) assert.equal(check(seal, fromNew), '{"callId":"c"}')
    assert.throws(() => check(after, fromOld), { code: 'UNKNOWN_KEY' })
    assert.equal(check(after, signedMessage(during)), '{"callId":"c"}')
    assert.equal(check(before, signedMessage(prepared)), '{"callId":"c"}')
  })

  test('a context of another message is refused, whichever key sealed it', () => {
    const [old, both] = [new Seal([otherKey]), new Seal([key, otherKey])]
    for (const seal of [old, both]) {
      const { context } = signedMessage(seal)
      assert.throws(() => both.open({ ...signedMessage(both), context }), refused)
    }
  })

  test('under 32 bytes they are refused, counted in bytes, without being shown', () => {
    for (const short of ['', 'hunter2', 'é'.repeat(15), 'k'.repeat(31)]) {
      for (const keys of [[short], [key, short]]) {
        assert.throws(
          () => sealOf(keys),
          (error: MessageError) =>
            error.code === 'SEAL_KEY_TOO_SHORT' &&
            error.message.includes(`${Buffer.byteLength(short)} bytes`) &&
            !error.message.includes('hunter2'),
        )
      }
    }
    assert.doesNotThrow(() => new Seal(['é'.repeat(16)]))
  })

  test('no error tells a key, a plaintext or what was forged', () => {
    const seal = new Seal([key])
    const message = signedMessage(seal, {}, secretContext)
    const forgeries = [
      { ...message, args: '["hunter2"]' },
      { ...message, context: message.context.replace(/.{4}$/, 'AAAA') },
      { ...message, context: `v2.${'hunter2'.repeat(1000)}.x.y.z.t` },
      { ...message, context: 'v1.hunter2' },
    ]
    for (const forged of forgeries) {
      assert.throws(
        () => seal.open(forged),
        (error) =>
          error instanceof MessageError &&
          error.cause === undefined &&
          !error.message.includes(key) &&
          !error.message.includes('anna') &&
          error.message.length < 400,
      )
    }
  })
})

suite('the key stream', () => {
  test('is used once: no two contexts lie on the same blocks of it, in batches of all sizes', () => {
    const seal = new Seal([key])
    let next = 0
    for (let size = 1; size <= 200; size++) {
      const batch = Array.from({ length: size }, (_, index) => stagedMessage('é'.repeat((index * size) % 67)))
      for (const { context } of seal.sealAll(batch)) {
        const [, , , place = '', data = ''] = context.split('.')
        assert.equal(Number.parseInt(place, 36), next)
        next += Math.ceil(Buffer.from(data, 'base64url').length / 16)
      }
    }
    assert.ok(next > 80_000, String(next))
  })

  test('and the tag are what the description of the format says', () => {
    const seal = new Seal([key])
    const [, second] = seal.sealAll([stagedMessage('x'.repeat(40)), stagedMessage(secretContext)])
    assert.ok(second)
    const { context, id, name, firedAt, options, args } = second
    const [, , salt = '', place = '', data = '', tag] = context.split('.')
    const derived = (purpose: string) =>
      Buffer.from(hkdfSync('sha256', key, Buffer.from(salt, 'base64url'), purpose, 32))
    const counter = Buffer.alloc(16)
    counter.writeUInt32BE(Number.parseInt(place, 36), 12)
    const decipher = createDecipheriv('aes-256-ctr', derived('macaron context v2'), counter)
    assert.equal(decipher.update(Buffer.from(data, 'base64url')).toString(), secretContext)
    const sealedContext = context.slice(0, context.lastIndexOf('.'))
    const parts = [sealedContext, id, name, options, args]
    const signed = `2 ${firedAt} ${parts.map((part) => part.length).join(' ')}\n${parts.join('')}`
    const hmac = createHmac('sha256', derived('macaron message v2')).update(signed)
    assert.equal(tag, hmac.digest('base64url').slice(0, 22))
  })

  test('never repeats a place over 100,000 contexts, and each process has subkeys of its own', () => {
    const [one, two] = [new Seal([key]), new Seal([key])]
    const seen = new Set<string>()
    for (let count = 0; count < 50_000; count++) {
      for (const seal of [one, two]) seen.add(signedMessage(seal).context.split('.').slice(2, 4).join('.'))
    }
    assert.equal(seen.size, 100_000)
    const salts = new Set([...seen].map((pair) => pair.split('.')[0]))
    assert.equal(salts.size, 2)
  })

  test('contexts of 300 processes are opened, though only so many subkeys are remembered', () => {
    const reader = new Seal([key])
    const sealed = Array.from({ length: 300 }, () => signedMessage(new Seal([key]), {}, 'x'))
    for (const message of [...sealed, ...sealed]) assert.equal(reader.open(message), 'x')
  })
})

/** Mostly short, one in a hundred longer than all that is kept ready for a text. */
function lengthOf(index: number): number {
  return index % 100 === 99 ? 40_000 : (index * 37) % 700
}

/** The list in parts of these lengths, which are used again and again. */
function* groups<T>(list: readonly T[], lengths: readonly number[]): Generator<readonly T[]> {
  let at = 0
  for (let turn = 0; at < list.length; turn++) {
    const length = known(lengths[turn % lengths.length])
    yield list.slice(at, at + length)
    at += length
  }
}

function known<T>(value: T | undefined): T {
  assert.ok(value !== undefined)
  return value
}

const refused = { code: 'REFUSED', reason: 'refused' }

/** A changed key id makes the key unknown; everything else is refused. */
function refusedOrUnknown(error: unknown): boolean {
  assert.ok(error instanceof MessageError, String(error))
  return error.reason === 'refused' || error.reason === 'unknown_key'
}

function sealOf([first = '', ...others]: readonly string[]): Seal {
  return new Seal([first, ...others])
}
