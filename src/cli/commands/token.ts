import { Command } from 'commander'
import { milliseconds } from '../../core/duration.ts'
import { MacaronError } from '../../core/errors.ts'
import { jwtSecret } from '../../keys.ts'
import { say, sayJson } from '../output.ts'
import { configOf, envOption, type ServiceOptions, serviceOption } from '../service-option.ts'

interface Options extends ServiceOptions {
  readonly expires: string
  readonly data?: string
  readonly json?: boolean
}

/** `macaron token USER`: a JWT of this service, to try its operations with. */
export function tokenCommand(): Command {
  return new Command('token')
    .description('print a token of this service for a user')
    .argument('<user>', "the user's id, the token's `sub`")
    .option('--expires <duration>', 'how long it is valid', '1d')
    .option('--data <json>', 'further claims, a JSON object')
    .option('--json', 'print { token, expiresAt }')
    .addOption(serviceOption())
    .addOption(envOption())
    .action(printToken)
}

async function printToken(user: string, options: Options): Promise<void> {
  const config = configOf(options)
  const expiresIn = Math.round(milliseconds(options.expires, '--expires') / 1000)
  // Loaded here and not above: no other command should wait for it.
  const { Tokens } = await import('../../auth/tokens.ts')
  const tokens = new Tokens({
    secret: jwtSecret(config),
    issuer: config.jwt_issuer,
    audience: config.jwt_audience,
  })
  const token = await tokens.sign({ userId: user, expiresIn, data: claims(options.data) })
  if (options.json) sayJson({ token, expiresAt: new Date(Date.now() + expiresIn * 1000) })
  else say(token)
}

function claims(text: string | undefined): Readonly<Record<string, unknown>> {
  const parsed = parseJson(text ?? '{}')
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed }
  throw new MacaronError('BAD_CLAIMS', `--data must be a JSON object such as '{"role":"admin"}'`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new MacaronError('BAD_CLAIMS', `--data is not JSON: ${String(error)}`)
  }
}
