import { Command, InvalidArgumentError, Option } from 'commander'
import type { Config } from '../../config.ts'
import { MacaronError } from '../../core/errors.ts'
import type { ActionAnswer, Engine, ListFilter } from '../../engines/engine.ts'
import type { Spool } from '../../engines/spool/spool.ts'
import { openStoreAndSpool, spoolOf } from '../../store.ts'
import { taskStates } from '../../tasks/states.ts'
import { say, sayJson, sayTable } from '../output.ts'
import { configOf, envOption, type ServiceOptions, serviceOption } from '../service-option.ts'
import { taskCells, taskDocument, taskHeadings, taskLines, wholeDocument } from '../task-view.ts'
import { moveCommand } from './tasks-move.ts'
import { purgeCommand } from './tasks-purge.ts'

/** What these commands need of a store or a spool. */
type Tasks = Pick<Engine, 'cancel' | 'close' | 'find' | 'list' | 'retry'>

interface TaskOptions extends ServiceOptions {
  readonly spool?: boolean
}

interface ListOptions extends TaskOptions, ListFilter {
  readonly json?: boolean
  readonly args?: boolean
}

/** `macaron tasks …`: read and act on stored tasks, whether or not the service runs. */
export function tasksCommand(): Command {
  return new Command('tasks')
    .description('list tasks, show one, retry or cancel it, move or purge them')
    .showSuggestionAfterError()
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(moveCommand())
    .addCommand(
      actionCommand({
        name: 'retry',
        description: 'run failed, cancelled or parked tasks again',
        done: 'queued again',
        act: (engine, id) => engine.retry(id),
      }),
    )
    .addCommand(
      actionCommand({
        name: 'cancel',
        description: 'cancel tasks that have not started',
        done: 'cancelled',
        act: (engine, id) => engine.cancel(id),
      }),
    )
    .addCommand(purgeCommand())
}

function listCommand(): Command {
  return withService(new Command('ls').alias('list').description('list tasks, newest first'))
    .addOption(new Option('--state <state>', 'only tasks in this state').choices(taskStates))
    .option('--name <task>', 'only tasks of this name')
    .option('--queue <queue>', 'only tasks of this queue')
    .addOption(new Option('--limit <n>', 'how many').default(50).argParser(positive))
    .option('--before <id>', 'continue after the last id of a page')
    .option('--json', 'one document a line')
    .option('--args', 'with --json: arguments and results too, which may be personal data')
    .action((options: ListOptions) => withEngine(options, (engine) => list(engine, options)))
}

async function list(
  engine: Tasks,
  { json, args, spool: _spool, service: _service, env: _env, ...filter }: ListOptions,
): Promise<void> {
  const tasks = await engine.list(filter)
  const document = args ? wholeDocument : taskDocument
  if (json) for (const task of tasks) sayJson(document(task))
  else if (tasks.length === 0) say('No tasks.')
  else sayTable(taskHeadings, tasks.map(taskCells))
}

function showCommand(): Command {
  return withService(new Command('show').description('show one task').argument('<id>'))
    .option('--json', 'as one JSON document')
    .action((id: string, options: ListOptions) =>
      withEngine(options, (engine) => show(engine, id, options.json === true)),
    )
}

async function show(engine: Tasks, id: string, json: boolean): Promise<void> {
  const task = await engine.find(id)
  if (task === undefined) throw noSuchTask(id)
  if (json) sayJson(wholeDocument(task))
  else for (const line of taskLines(task)) say(line)
}

interface Action {
  readonly name: string
  readonly description: string
  readonly done: string
  act(engine: Tasks, id: string): Promise<ActionAnswer>
}

function actionCommand(action: Action): Command {
  return withService(new Command(action.name).description(action.description).argument('<id...>'))
    .option('--json', 'one document a line')
    .action((ids: readonly string[], options: ListOptions) =>
      withEngine(options, (engine) => actOnAll(engine, ids, { action, json: options.json === true })),
    )
}

async function actOnAll(
  engine: Tasks,
  ids: readonly string[],
  { action, json }: { action: Action; json: boolean },
): Promise<void> {
  for (const id of ids) {
    const answer = await action.act(engine, id)
    if (!answer.done) process.exitCode = 1
    if (json) sayJson({ id, done: answer.done, ...(answer.done ? {} : { state: answer.state }) })
    else say(`${id}: ${answer.done ? action.done : refusal(action.name, answer.state)}`)
  }
}

function refusal(action: string, state: string | undefined): string {
  return state === undefined ? 'no such task' : `can't ${action} a task that is ${state}`
}

function noSuchTask(id: string): MacaronError {
  return new MacaronError(
    'NO_SUCH_TASK',
    `There is no task ${id}. It may have been deleted when its retention passed; macaron tasks ls shows what is there.`,
  )
}

function withService(command: Command): Command {
  return command
    .option('--spool', 'only what waits on this machine for a Redis that is away')
    .addOption(serviceOption())
    .addOption(envOption())
}

async function withEngine(options: TaskOptions, use: (engine: Tasks) => Promise<void>): Promise<void> {
  const config = configOf(options)
  const engine = options.spool ? openedSpool(config) : await openStoreAndSpool(config)
  try {
    await use(engine)
  } finally {
    await engine.close()
  }
}

function openedSpool(config: Config): Spool {
  const spool = spoolOf(config, false)
  if (spool !== undefined) return spool
  throw new MacaronError(
    'NO_SPOOL',
    'This service has no spool here: only one with tasks on Redis (broker_url) has, where spool is on or its folder is kept',
  )
}

function positive(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1.')
}
