import type { Fault } from '../source/faults.ts'
import { matches, type SourceFile } from '../source/files.ts'
import { importsOf } from '../source/imports.ts'

/** Things that have one place in the tree: the environment, signals, SQLite, BullMQ. */
interface Place {
  readonly what: string
  /** In code, or, with `opens`, up to the quote before the text that must follow. */
  readonly pattern?: RegExp
  readonly opens?: RegExp
  /** Imported packages. */
  readonly packages?: readonly string[]
  /** Names imported from `node:process`. */
  readonly names?: readonly string[]
  readonly allowed: RegExp
  readonly where: string
}

const places: readonly Place[] = [
  {
    what: 'the environment is read',
    pattern: /\bprocess\s*\??\.\s*env\b|\benv\b[^}=]*\}\s*=\s*process\b/g,
    names: ['env'],
    allowed: /^src\/(config\.ts|config\/|cli\/)/,
    where: 'src/config and src/cli',
  },
  {
    what: 'signals are handled or sent',
    pattern: /\bprocess\s*\??\.\s*kill\b/g,
    opens: /\bprocess\s*\??\.\s*(?:on|once|addListener|prependListener)\(\s*['"`](?=SIG)/g,
    names: ['kill'],
    allowed: /^src\/(supervisor|entry)\//,
    where: 'src/supervisor and src/entry',
  },
  {
    what: 'node:sqlite is used',
    packages: ['node:sqlite'],
    allowed: /^src\/(engines\/sqlite\/|supervisor\/alive\.ts$)/,
    where: 'src/engines/sqlite and src/supervisor/alive.ts',
  },
  {
    what: 'BullMQ and Redis are used',
    packages: ['bullmq', 'ioredis'],
    allowed: /^src\/engines\/bullmq\//,
    where: 'src/engines/bullmq',
  },
]

/** Uses of what belongs elsewhere. */
export function placeFaults(files: readonly SourceFile[]): readonly Fault[] {
  return files.flatMap((file) =>
    places
      .filter((place) => !place.allowed.test(file.path))
      .flatMap((place) =>
        linesOf(file, place).map((line) => ({
          path: file.path,
          line,
          message: `${place.what} in ${place.where} only`,
        })),
      ),
  )
}

function linesOf(file: SourceFile, place: Place): readonly number[] {
  return [
    ...(place.pattern === undefined ? [] : matches(file, place.pattern).map((match) => match.line)),
    ...(place.opens === undefined ? [] : openings(file, place.opens)),
    ...importLines(file, place),
  ]
}

/** Matches that need the text of a string: looked for in the whole text, kept where the code has its beginning too. */
function openings(file: SourceFile, pattern: RegExp): readonly number[] {
  return [...file.text.matchAll(pattern)]
    .filter((match) => file.code.startsWith('process', match.index))
    .map((match) => file.text.slice(0, match.index).split('\n').length)
}

function importLines(file: SourceFile, place: Place): readonly number[] {
  return importsOf(file)
    .filter(
      (found) =>
        place.packages?.includes(found.specifier.replace(/^(ioredis|bullmq)\/.*/, '$1')) === true ||
        (/^(node:)?process$/.test(found.specifier) &&
          found.names.some((name) => place.names?.includes(name) === true)),
    )
    .map((found) => found.line)
}
