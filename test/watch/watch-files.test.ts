import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { watchFiles } from '../../src/watch/watch-files.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'

/** Watches `.ts` files in a folder of its own, those in `skipped/` and below left out. */
function watched(t: TestContext) {
  const root = join(ownFolder(t), 'root')
  mkdirSync(join(root, 'skipped'), { recursive: true })
  mkdirSync(join(root, 'sub'))
  write(root, 'sub/a.ts', 'a')
  const heard: string[][] = []
  const watch = watchFiles({
    root,
    isWatched: (path) => path.endsWith('.ts'),
    isIgnored: (path) => path === 'skipped',
    onChange: (files) => heard.push(files.map((file) => relative(root, file))),
  })
  t.after(() => watch.stop())
  /** The next that is told. */
  const next = () => until(() => heard.shift(), { what: 'a change to be told' })
  return { root, heard, watch, next }
}

function write(root: string, path: string, text: string): void {
  writeFileSync(join(root, path), text)
}

test('a file written in place, replaced by rename, made or removed is told', async (t) => {
  const { root, next } = watched(t)
  write(root, 'sub/a.ts', 'b')
  assert.deepEqual(await next(), ['sub/a.ts'])
  write(root, 'sub/a.ts.tmp', 'c')
  renameSync(join(root, 'sub/a.ts.tmp'), join(root, 'sub/a.ts'))
  assert.deepEqual(await next(), ['sub/a.ts'])
  write(root, 'sub/a.ts', 'd')
  assert.deepEqual(await next(), ['sub/a.ts'], 'after it was replaced')
  write(root, 'new.ts', 'e')
  assert.deepEqual(await next(), ['new.ts'])
  rmSync(join(root, 'new.ts'))
  assert.deepEqual(await next(), ['new.ts'])
})

test('what comes in one burst is told at once', async (t) => {
  const { root, heard, next } = watched(t)
  for (const name of ['c', 'a', 'b', 'a']) write(root, `sub/${name}.ts`, `${name}!`)
  assert.deepEqual(await next(), ['sub/a.ts', 'sub/b.ts', 'sub/c.ts'])
  write(root, 'end.ts', '')
  assert.deepEqual(await next(), ['end.ts'])
  assert.deepEqual(heard, [])
})

test('folders may come, be replaced and go', async (t) => {
  const { root, next } = watched(t)
  mkdirSync(join(root, 'made/deep'), { recursive: true })
  write(root, 'made/deep/a.ts', '')
  assert.deepEqual(await next(), ['made/deep/a.ts'])
  renameSync(join(root, 'made'), join(root, 'moved'))
  assert.deepEqual(await next(), ['made/deep/a.ts', 'moved/deep/a.ts'])
  write(root, 'moved/deep/a.ts', 'changed')
  assert.deepEqual(await next(), ['moved/deep/a.ts'])
  rmSync(join(root, 'moved'), { recursive: true })
  assert.deepEqual(await next(), ['moved/deep/a.ts'])
})

test('other files, ignored folders and a file that is what it was are not told', async (t) => {
  const { root, heard, next } = watched(t)
  write(root, 'sub/a.txt', '')
  mkdirSync(join(root, 'skipped/deep'))
  write(root, 'skipped/a.ts', '')
  write(root, 'skipped/deep/a.ts', '')
  write(root, 'here-and-gone.ts', '')
  rmSync(join(root, 'here-and-gone.ts'))
  write(root, 'end.ts', '')
  assert.deepEqual(await next(), ['end.ts'])
  assert.deepEqual(heard, [])
})

test('a file that was added is told wherever it is, its neighbours are not', async (t) => {
  const { root, heard, watch, next } = watched(t)
  const outside = join(ownFolder(t), 'lib.sql')
  for (const file of [outside, join(root, 'skipped/a.ts')]) writeFileSync(file, '')
  for (const file of [outside, outside, join(root, 'skipped/a.ts'), join(root, 'sub/a.ts')]) watch.add(file)
  writeFileSync(`${outside}2`, '')
  write(root, 'skipped/b.ts', '')
  writeFileSync(outside, 'changed')
  assert.deepEqual(await next(), [relative(root, outside)])
  write(root, 'skipped/a.ts', 'changed')
  assert.deepEqual(await next(), ['skipped/a.ts'])
  assert.deepEqual(heard, [])
})

test('after its stop nothing is told and nothing keeps the process', async (t) => {
  const { root, heard, watch } = watched(t)
  write(root, 'sub/a.ts', 'b')
  await watch.stop()
  await watch.stop()
  const other = watched(t)
  write(other.root, 'sub/a.ts', 'b')
  await other.next()
  assert.deepEqual(heard, [])
})
