import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Config, type ConfigOptions, loadConfig } from '../../src/config.ts'
import { SetupError } from '../../src/core/errors.ts'
import { ownFolder } from './folder.ts'

/** Files of a service by name. */
export interface Files {
  readonly [name: string]: string
}

/** A folder of one test with these files. */
export function serviceWith(t: TestContext, files: Files): string {
  const folder = ownFolder(t)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** What a macaron.yaml of this text says, in an empty environment. */
export function load(t: TestContext, source: string, options: ConfigOptions = {}): Config {
  const folder = serviceWith(t, { 'macaron.yaml': source })
  return loadConfig({ environment: {}, ...options, folder })
}

/** The faults of a configuration, each as `line: message`, without the file's name, which all must have. */
export function faultsOf(t: TestContext, source: string, options: ConfigOptions = {}): readonly string[] {
  const folder = serviceWith(t, { 'macaron.yaml': source })
  try {
    loadConfig({ environment: {}, ...options, folder })
  } catch (error) {
    assert.ok(error instanceof SetupError, String(error))
    assert.equal(error.code, 'CONFIG_INVALID')
    return error.faults.map(({ file, line, message }) => {
      assert.equal(file, join(folder, 'macaron.yaml'))
      return line === undefined ? message : `${line}: ${message}`
    })
  }
  return assert.fail('was accepted')
}
