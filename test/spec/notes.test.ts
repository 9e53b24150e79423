import assert from 'node:assert/strict'
import { chmodSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SpecNotes } from '../../src/spec/notes.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'

/** A file, notes on it, and how often it was read for them. */
async function noted(t: TestContext) {
  const folder = ownFolder(t)
  const file = join(folder, 'shop.yaml')
  const kept = join(folder, 'cache')
  const state = { reads: 0 }
  const ask = async (notes = new SpecNotes(kept), valid = isText) =>
    notes.of('names', [file], {
      valid,
      async find() {
        state.reads += 1
        return `read ${state.reads}`
      },
    })
  const put = async (text: string) => {
    writeFileSync(file, text)
    await settled(file)
  }
  await put('one')
  return { file, kept, state, ask, put }
}

function isText(note: unknown): note is string {
  return typeof note === 'string'
}

async function settled(file: string): Promise<void> {
  await until(() => Date.now() - statSync(file).ctimeMs > 60, { what: 'the file to be old enough' })
}

test('a file is read once, and again when it has changed, also where size and time of its change are the same', async (t) => {
  const { file, ask, put } = await noted(t)
  assert.deepEqual([await ask(), await ask()], ['read 1', 'read 1'])
  const { atime, mtime } = statSync(file)
  await put('two')
  utimesSync(file, atime, mtime)
  await settled(file)
  assert.deepEqual([await ask(), await ask()], ['read 2', 'read 2'])
})

test('a file that was written just now is not noted, nor one that is written meanwhile', async (t) => {
  const { file, kept, state } = await noted(t)
  const notes = new SpecNotes(kept)
  writeFileSync(file, 'new')
  // However long it takes until it is looked at.
  utimesSync(file, Date.now() / 1000, Date.now() / 1000 + 60)
  const find = async () => {
    state.reads += 1
    return 'x'
  }
  await notes.of('names', [file], { valid: isText, find })
  utimesSync(file, Date.now() / 1000, Date.now() / 1000)
  await settled(file)
  const change = async () => {
    writeFileSync(file, 'newer!')
    return find()
  }
  await notes.of('names', [file], { valid: isText, find: change })
  await notes.of('names', [file], { valid: isText, find })
  assert.equal(state.reads, 3)
})

test('notes that are rubbish, or of another form, are made anew', async (t) => {
  const { kept, ask } = await noted(t)
  await ask()
  const [name = ''] = readdirSync(kept)
  for (const text of ['', '{', '[]', 'null', '{"state":1}']) {
    writeFileSync(join(kept, name), text)
    await ask()
  }
  const isNumber = (note: unknown): note is string => typeof note === 'number'
  assert.equal(await ask(new SpecNotes(kept), isNumber), 'read 7')
})

test('without a folder, or in one that is not there to be written, everything is read', async (t) => {
  const { file, ask, state } = await noted(t)
  await ask(new SpecNotes())
  // A file stands where the folder would be.
  await ask(new SpecNotes(file))
  await ask(new SpecNotes(join(file, 'deeper')))
  assert.equal(state.reads, 3)
  assert.deepEqual(readdirSync(join(file, '..')), ['shop.yaml'])
})

test('notes are for the eyes of the owner', async (t) => {
  const { kept, ask } = await noted(t)
  chmodSync(join(kept, '..'), 0o700)
  await ask()
  const [name = ''] = readdirSync(kept)
  assert.equal(statSync(join(kept, name)).mode & 0o777, 0o600)
})
