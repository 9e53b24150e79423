import { Command, InvalidArgumentError, Option } from 'commander'
import { MacaronError } from '../../core/errors.ts'
import type { ListFilter } from '../../engines/engine.ts'
import { taskStates } from '../../tasks/states.ts'
import { say, sayJson, sayTable } from '../output.ts'
import { type TaskOptions, type Tasks, withEngine, withService } from '../task-store.ts'
import { taskCells, taskDocument, taskHeadings, taskLines, wholeDocument } from '../task-view.ts'
import { cancelCommand, retryCommand } from './tasks-act.ts'
import { moveCommand } from './tasks-move.ts'
import { purgeCommand } from './tasks-purge.ts'

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
    .addCommand(retryCommand())
    .addCommand(cancelCommand())
    .addCommand(purgeCommand())
}

function listCommand(): Command {
  return withService(new Command('ls').alias('list').description('list tasks, newest first'))
    .addOption(new Option('--state <state>', 'only tasks in this state').choices(taskStates))
    .option('--name <task>', 'only tasks of this name')
    .option('--queue <queue>', 'only tasks of this queue')
    .addOption(new Option('--limit <n>', 'how many').default(50).argParser(positive))
    .addOption(new Option('--before <id>', 'continue after the last id of a page').argParser(taskId))
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

function noSuchTask(id: string): MacaronError {
  return new MacaronError(
    'NO_SUCH_TASK',
    `There is no task ${id}. It may have been deleted when its retention passed; macaron tasks ls shows what is there.`,
  )
}

function positive(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

/** Anything else would sort somewhere, and a page of other tasks come. */
function taskId(text: string): string {
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(text)) return text
  throw new InvalidArgumentError('It must be the id of a task.')
}
