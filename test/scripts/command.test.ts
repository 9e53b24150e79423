import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { accessSync, constants, globSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'

const command = join(import.meta.dirname, '../../bin/macaron.js')

/** Some Node of this machine that is too old for Macaron, where there is one. */
const old = oldNodes()[0]

test('a Node that is too old is told so in one line, with what to do', {
  skip: old === undefined && 'no Node below 24.12 on this machine',
}, () => {
  const { status, stderr, stdout } = spawnSync(old ?? '', [command, 'start'], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.equal(stdout, '')
  assert.match(
    stderr,
    /^Macaron needs Node 24\.12 or newer and this is Node \d+\.\d+\.\d+ .*npm i -D node@24.*nodejs\.org\n$/,
  )
})

function oldNodes(): readonly string[] {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const installed = globSync(join(homedir(), '.nvm/versions/node/*/bin'))
  return ['/usr/bin', '/usr/local/bin', ...folders, ...installed]
    .map((folder) => join(folder, 'node'))
    .filter(isOld)
}

function isOld(node: string): boolean {
  try {
    accessSync(node, constants.X_OK)
  } catch {
    return false
  }
  const [major = 0, minor = 0] = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    .stdout.split('.')
    .map(Number)
  return major >= 12 && (major < 24 || (major === 24 && minor < 12))
}
