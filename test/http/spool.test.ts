import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { Spool } from '../../src/http/multipart/spool.ts'
import { until } from '../support/until.ts'

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

test('bytes that were never written are an error, not the memory of others', async () => {
  const spool = new Spool()
  const file = spool.newFile()
  file.skip(Buffer.alloc(5000))
  await assert.rejects(buffer(file.stream()), { code: 'FILE_UNSTORABLE', status: 503 })
  await file.write(Buffer.alloc(100_000))
  await assert.rejects(spool.readAt(100_000, 10), { code: 'FILE_UNSTORABLE' })
  await spool.close()
})

test('a file that somebody keeps holds no bytes once its spool is closed', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  const bytes = Buffer.alloc(60_000)
  collectGarbage()
  const before = process.memoryUsage().arrayBuffers
  const kept = []
  for (let count = 0; count < 200; count++) {
    const spool = new Spool()
    const file = spool.newFile()
    await file.write(bytes)
    await spool.close()
    kept.push(file)
  }
  // V8 frees what it has collected in another thread: some turns later.
  const isFree = () => {
    collectGarbage()
    return process.memoryUsage().arrayBuffers - before < 2_000_000
  }
  await until(isFree, { what: 'the bytes of 200 files to be freed' })
  assert.equal(kept.at(-1)?.size, 60_000)
})
