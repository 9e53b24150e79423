import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Builds `dist` from `src`: an empty folder, one run of the compiler, and a look for what it does not rewrite. */
const root = dirname(import.meta.dirname)
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
// Not through PATH: `npm pack` from elsewhere must use this clone's compiler.
const compiler = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')))
const { status, error } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (error !== undefined) throw error
if (status !== 0 || !existsSync(join(dist, 'index.js')))
  fail(['the compiler found faults (above), or made no dist/index.js'])
fail(leftovers())

/** The compiler rewrites imports that end in `.ts`, but not `new URL('./x.ts', import.meta.url)`. */
function leftovers(): readonly string[] {
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) =>
      [...readFileSync(join(dist, file), 'utf8').matchAll(/new URL\(\s*['"`][^'"`]+\.ts['"`]/g)].map(
        ([text]) => `dist/${file} still says ${text}), a file that is not shipped`,
      ),
    )
}

function fail(faults: readonly string[]): void {
  if (faults.length === 0) return
  for (const fault of faults) console.error(`build: ${fault}`)
  process.exit(1)
}
