import type { LocationObject, NormalizedProblem, Source } from '@redocly/openapi-core'
import { asError } from '../core/errors.ts'
import type { Position } from './position.ts'

/**
 * What else can be said of a spec that works: where it is not quite OpenAPI, contradicts itself, or asks for surprises. The rules are Redocly's.
 *
 * All of it is advice. Whatever keeps a route, schema or binding from working is a fault, and readApi finds those, here as at a start; a spec that has
 * none serves as it is, so nothing a linter says may stop it. Big specs of the wild have hundreds of such places.
 */
export interface Advice {
  /** Redocly's name of the rule. */
  readonly rule: string
  readonly message: string
  readonly file: string
  /** Where it stands. Worked out when called, which takes seconds for the first one of a spec of many megabytes. */
  position(): Position
}

/** Beside Redocly's own set for what the standard says: what the author will hardly have meant. */
const rules = {
  'no-ambiguous-paths': 'warn',
  'no-enum-type-mismatch': 'warn',
  'no-required-schema-properties-undefined': 'warn',
  'no-schema-type-mismatch': 'warn',
} as const

/** The advice on a spec file. Nothing is read from the network. Takes half a second to load, and seconds for the largest specs. */
export async function adviceOn(file: string): Promise<readonly Advice[]> {
  const redocly = await import('@redocly/openapi-core')
  class LocalResolver extends redocly.BaseResolver {
    /** Other hosts are not asked: what they have counts as empty. */
    override async loadExternalRef(ref: string): Promise<Source> {
      return URL.canParse(ref) ? new redocly.Source(ref, '{}') : await super.loadExternalRef(ref)
    }
  }
  const adviceOf = (problem: NormalizedProblem, location: LocationObject): Advice => ({
    rule: problem.ruleId,
    message: wordingOf(problem),
    file: location.source.absoluteRef,
    position: () => {
      const { start } = redocly.getLineColLocation(location)
      return { line: start.line, column: start.col }
    },
  })
  try {
    const config = await redocly.createConfig({ extends: ['spec'], rules })
    const problems = await redocly.lint({ ref: file, config, externalRefResolver: new LocalResolver() })
    return problems.flatMap((problem) => problem.location.slice(0, 1).map((at) => adviceOf(problem, at)))
  } catch (error) {
    const message = `The linter could not read this file, which works all the same: ${asError(error).message}`
    return [{ rule: 'lint', message, file, position: () => ({ line: 1, column: 1 }) }]
  }
}

function wordingOf({ message, suggest: [suggested] }: NormalizedProblem): string {
  const text = message.trim().replace(/\.$/, '')
  return suggested === undefined ? text : `${text}. Did you mean "${suggested}"?`
}
