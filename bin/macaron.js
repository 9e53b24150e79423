#!/usr/bin/env node
/*
 * The `macaron` command. Plain old JavaScript, so that a Node that is too old can still read it and say so in one line
 * instead of a syntax error. Runs the sources in a clone and the built files in an installed package.
 */
// biome-ignore lint/style/useNodejsImportProtocol: Node 12 does not know node:
import { existsSync } from 'fs'
// biome-ignore lint/style/useNodejsImportProtocol: Node 12 does not know node:
import { fileURLToPath } from 'url'

var OLDEST_MAJOR = 24
var OLDEST_MINOR = 12

function isOldEnough(version) {
  var parts = version.split('.')
  var major = Number(parts[0])
  return major > OLDEST_MAJOR || (major === OLDEST_MAJOR && Number(parts[1]) >= OLDEST_MINOR)
}

function main() {
  var source = new URL('../src/cli/main.ts', import.meta.url)
  if (existsSync(fileURLToPath(source))) return import(source.href)
  return import(new URL('../dist/cli/main.js', import.meta.url).href)
}

if (isOldEnough(process.versions.node)) {
  main()
} else {
  console.error(
    'Macaron needs Node ' +
      OLDEST_MAJOR +
      '.' +
      OLDEST_MINOR +
      ' or newer and this is Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '): run "npm i -D node@24" in your project and start it with npx or an npm script, or install one from https://nodejs.org',
  )
  process.exitCode = 1
}
