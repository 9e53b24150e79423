import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import fc from 'fast-check'
import { Spool } from '../../src/http/multipart/spool.ts'

test('files of any sizes, written in any pieces, are read as they were written', async () => {
  const piece = fc.integer({ min: 0, max: 40_000 })
  const sizes = fc.array(fc.array(piece, { maxLength: 4 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(sizes, async (files) => {
      const spool = new Spool()
      const written = []
      for (const [index, pieces] of files.entries()) {
        const file = spool.newFile()
        for (const [at, length] of pieces.entries()) await file.write(Buffer.alloc(length, index * 4 + at))
        written.push({
          file,
          expected: Buffer.concat(pieces.map((size, at) => Buffer.alloc(size, index * 4 + at))),
        })
      }
      for (const { file, expected } of written) {
        assert.ok((await buffer(file.stream())).equals(expected))
        assert.equal(file.size, expected.length)
      }
      await spool.close()
    }),
    { numRuns: 100, seed: 20261126 },
  )
})

test('a spool that is closed takes nothing, neither into memory nor onto disk', async () => {
  const closed = { code: 'FILE_CLOSED' }
  for (const size of [10, 100_000]) {
    const spool = new Spool()
    const file = spool.newFile()
    const writing = file.write(Buffer.alloc(100_000))
    await spool.close()
    await Promise.resolve(writing).catch(() => undefined)
    await assert.rejects(async () => await file.write(Buffer.alloc(size)), closed)
    await assert.rejects(async () => await spool.newFile().write(Buffer.alloc(size)), closed)
    await assert.rejects(buffer(file.stream()), closed)
  }
})
