import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { type CliAnswer, cli } from './support/cli.ts'
import { copyOf } from './support/folders.ts'
import { startService } from './support/service.ts'

/** What is wrong with a service is said at start: what, in which file and line, and what to do. Exit code 78 tells service managers not to retry. */

interface Rubbish {
  readonly what: string
  readonly files: Readonly<Record<string, string | undefined>>
  readonly says: readonly RegExp[]
  /** Default `serve`, which starts fewer processes. */
  readonly command?: 'start'
}

const config = 'name: bench\nwith_async: true\nworker_count: 1\n'
const spec = (operation: string): string =>
  `openapi: 3.0.3\ninfo: { title: T, version: '1' }\npaths:\n  /x:\n    get:\n      ${operation}\n      responses: { '200': { description: ok } }\n`

const rubbish: readonly Rubbish[] = [
  {
    what: 'broken YAML in macaron.yaml',
    files: { 'macaron.yaml': 'name: bench\nport: [1, 2\nwith_async: true\n' },
    says: [/macaron\.yaml:[234]:\d+: Not readable as YAML/, /\[CONFIG_INVALID\]/],
  },
  {
    what: 'wrong types and a misspelt key, all at once',
    files: {
      'macaron.yaml': 'name: bench\nport: eighty\nwith_async: maybe\nworker_cuont: 2\nstop_timeout: soon\n',
    },
    says: [
      /macaron\.yaml:2:1: port must be a whole number from 0 to 65535, not "eighty"/,
      /macaron\.yaml:3:1: with_async must be true or false/,
      /macaron\.yaml:4:1: worker_cuont is not known\. Did you mean worker_count\?/,
      /macaron\.yaml:5:1: stop_timeout must be/,
    ],
  },
  {
    what: 'a secret that is not set',
    files: { 'macaron.yaml': `${config}jwt_secret: SHOP_SECRET\nenv_secrets: [SHOP_SECRET]\n` },
    says: [/macaron\.yaml:4:1: jwt_secret names the environment variable SHOP_SECRET.*not set/],
  },
  {
    what: 'no macaron.yaml',
    files: { 'macaron.yaml': undefined },
    says: [/There is no macaron\.yaml in .*--service/, /\[CONFIG_MISSING\]/],
  },
  {
    what: 'broken YAML in a spec',
    command: 'start',
    files: { 'apis/bench.yaml': 'openapi: 3.0.3\ninfo:\n  title: "T\n  version: 1\n' },
    says: [/bench\.yaml:\d+(:\d+)?: /, /\[SPEC_INVALID\]/],
  },
  {
    what: 'a spec with a wrong type and a dangling reference',
    command: 'start',
    files: {
      'apis/bench.yaml': `${spec('operationId: bench.endpoints.fire')}components:\n  schemas:\n    A: { type: objekt }\n    B: { $ref: '#/components/schemas/Nowhere' }\n`,
    },
    says: [/bench\.yaml:\d+.*objekt/, /bench\.yaml:\d+.*Nowhere/],
  },
  {
    what: 'an operation that is bound to nothing',
    files: { 'apis/bench.yaml': spec('summary: nothing') },
    says: [/bench\.yaml:\d+.*(x-bind-server|operationId)/],
  },
  {
    what: 'a binding whose function does not exist',
    command: 'start',
    files: { 'apis/bench.yaml': spec('operationId: bench.endpoints.fier') },
    says: [/bench\.yaml:\d+.*fier/, /fire/],
  },
  {
    what: 'a binding whose module does not exist',
    files: { 'apis/bench.yaml': spec('operationId: bench.nowhere.fire') },
    says: [/bench\.yaml:\d+.*bench.nowhere/],
  },
  {
    what: 'a handler module that throws',
    files: { 'bench/endpoints.ts': "throw new Error('at import')\nexport function fire() {}\n" },
    says: [/at import/, /endpoints/],
  },
  {
    what: 'a task module that throws',
    command: 'start',
    files: { 'tasks/broken.ts': "throw new Error('at import')\n" },
    says: [/tasks\/broken\.ts.*at import/, /\[TASK_MODULE_BROKEN\]/],
  },
  {
    what: 'a service.ts with a misspelt part',
    command: 'start',
    files: { 'service.ts': 'export const service = { onStrat() {} }\n' },
    says: [/service\.ts: A service has no "onStrat"\. Did you mean "onStart"\?/, /\[SERVICE_INVALID\]/],
  },
  {
    what: 'an onStart that throws in executors alone',
    command: 'start',
    files: {
      'service.ts':
        "export const service = { onStart({ role }) { if (role === 'executor') throw new Error('no GPU here') } }\n",
    },
    says: [
      /service\.ts: onStart has thrown \(role executor\): Error: no GPU here/,
      /\[SERVICE_START_FAILED\]/,
    ],
  },
  {
    what: 'a task without a name',
    files: {
      'tasks/broken.ts':
        "import { asyncTask } from 'macaron'\n\nexport const t = asyncTask(async () => {})\n",
    },
    says: [/tasks\/broken\.ts:3: .*: this task has no name/],
  },
  {
    what: 'two tasks of one name',
    files: {
      'tasks/broken.ts':
        "import { asyncTask } from 'macaron'\n\nexport const t = asyncTask('note', async () => {})\n",
    },
    says: [/tasks\/broken\.ts:3/, /tasks\/bench\.ts:\d+/, /note/],
  },
  {
    what: 'a task option that does not exist',
    files: {
      'tasks/broken.ts':
        "import { asyncTask } from 'macaron'\n\nexport const t = asyncTask('t', async () => {}, { retrys: 3 } as object)\n",
    },
    says: [/retrys.*Did you mean .?retries/],
  },
]

for (const { what, files, says, command = 'serve' } of rubbish) {
  test(`${what} is told at start, with exit code 78`, async (t) => {
    const folder = copyOf(t, 'bench', { files })
    const answer = await start(folder, '0', command)
    assert.equal(answer.code, 78, everything(answer))
    for (const part of says) assert.match(everything(answer), part)
    const code = /\[[A-Z_]+\]$/m.exec(answer.stderr)?.[0] ?? ''
    assert.equal(everything(answer).split(code).length, 2, `told once: ${everything(answer)}`)
    assert.doesNotMatch(everything(answer), /died/)
    assert.doesNotMatch(answer.stderr, /node:internal/, 'no stack of ours is of use to anyone')
  })
}

test('a port in use is named with what to do, and exit code 78', async (t) => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const address = other.address()
  const port = String(typeof address === 'object' ? address?.port : 0)
  const answer = await start(copyOf(t, 'bench'), port)
  assert.equal(answer.code, 78, everything(answer))
  assert.match(everything(answer), new RegExp(`Port ${port} is in use`))
  assert.match(everything(answer), /--port|another port/)
  assert.match(everything(answer), /\[PORT_IN_USE\]/)
})

test('a port that is no port is refused by the command and by the environment', async (t) => {
  const folder = copyOf(t, 'bench')
  const option = await start(folder, '99999')
  assert.equal(option.code, 1)
  assert.match(option.stderr, /port from 0 to 65535/)
  const variable = await cli(['start', '--service', folder], { env: { PORT: 'eighty' } })
  assert.equal(variable.code, 78)
  assert.match(variable.stderr, /environment variable PORT must be a port from 0 to 65535, not "eighty"/)
})

const oldNode = '/usr/bin/node'

test('a Node that is too old is told so in one line', async (t) => {
  if (!existsSync(oldNode)) return t.skip(`there is no other Node at ${oldNode}`)
  const answer = await cli(['start'], { node: oldNode })
  if (answer.code === 78) return t.skip(`${oldNode} is new enough`)
  assert.equal(answer.code, 1)
  assert.equal(answer.stderr.trim().split('\n').length, 1)
  assert.match(answer.stderr, /Macaron needs Node 24\.12 or newer and this is Node \d+.*npm i -D node@24/)
})

test('a service that declares tasks without with_async says so at start, and fire throws ASYNC_OFF', async (t) => {
  const service = await startService(t, { files: { 'macaron.yaml': 'name: bench\nlog_format: json\n' } })
  await service.says(/declares tasks \(.*note.*\) but runs none: set with_async: true in .*macaron\.yaml/)
  assert.equal(service.pids('worker').length, 0)
  const answer = await service.fire('note', ['off'])
  assert.equal(answer.status, 500)
  assert.equal(answer.body.error, 'ASYNC_OFF')
  const alone = await service.cli('work')
  assert.equal(alone.code, 78)
  assert.match(alone.stderr, /with_async: true/)
})

test('an argument that can not travel, a huge one and a 20 MB body are told what and where', async (t) => {
  const service = await startService(t, {
    files: { 'macaron.yaml': `${config}log_format: json\nbody_limit: 4000000\n` },
  })
  const unportable = await service.fire('note', ['key'], { end: 'unportable' })
  assert.equal(unportable.status, 500)
  assert.equal(unportable.body.error, 'ARGUMENT_NOT_PORTABLE')
  await service.says(/argument of returns can't travel to a worker: a function at \[1\]\.deep\[0\]\.call/)
  const huge = await service.fire('note', ['key', 'x'.repeat(1_200_000)])
  assert.equal(huge.body.error, 'ARGUMENT_TOO_LARGE')
  await service.says(/argument of note takes .*max_task_bytes/)
  const body = await service.fire('note', ['x'.repeat(20_000_000)])
  assert.equal(body.status, 413)
  assert.match(String(body.body.error_description), /4000000/)
  assert.deepEqual(await service.tasks(), [])
})

function start(folder: string, port: string, command = 'start'): Promise<CliAnswer> {
  return cli([command, '--service', folder, '--port', port, '--host', '127.0.0.1'])
}

function everything({ stdout, stderr }: CliAnswer): string {
  return `${stdout}\n${stderr}`
}
