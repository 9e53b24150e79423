import { Command, Option } from 'commander'
import type { ActionAnswer, Engine, ListFilter } from '../../engines/engine.ts'
import type { TaskState } from '../../tasks/states.ts'
import { say, sayJson } from '../output.ts'
import { type TaskOptions, type Tasks, withEngine, withService } from '../task-store.ts'

interface ActOptions extends TaskOptions, Pick<ListFilter, 'state' | 'name' | 'queue'> {
  readonly json?: boolean
}

interface Action {
  readonly name: string
  readonly description: string
  readonly done: string
  /** The states it can be done in. */
  readonly states: readonly TaskState[]
  act(engine: Pick<Engine, 'cancel' | 'retry'>, id: string): Promise<ActionAnswer>
}

/** `macaron tasks retry`. */
export function retryCommand(): Command {
  return actionCommand({
    name: 'retry',
    description: 'run failed, cancelled or parked tasks again',
    done: 'queued again',
    states: ['failed', 'cancelled', 'parked'],
    act: (engine, id) => engine.retry(id),
  })
}

/** `macaron tasks cancel`. */
export function cancelCommand(): Command {
  return actionCommand({
    name: 'cancel',
    description: 'cancel tasks that have not started',
    done: 'cancelled',
    states: ['queued', 'scheduled'],
    act: (engine, id) => engine.cancel(id),
  })
}

function actionCommand(action: Action): Command {
  return withService(new Command(action.name).description(action.description).argument('[id...]'))
    .addOption(new Option('--state <state>', 'instead of ids: all in this state').choices(action.states))
    .option('--name <task>', 'with --state: only tasks of this name')
    .option('--queue <queue>', 'with --state: only tasks of this queue')
    .option('--json', 'one document a line')
    .action((ids: readonly string[], options: ActOptions, command: Command) => {
      if (!isOneChoice(ids, options)) command.error(howToChoose)
      return withEngine(options, (engine) =>
        options.state === undefined
          ? actOnEach(engine, ids, { action, json: options.json === true })
          : actOnAll(engine, options, action),
      )
    })
}

/** Whether it is said which tasks are meant, in one way. */
function isOneChoice(ids: readonly string[], { state, name, queue }: ActOptions): boolean {
  if (ids.length > 0) return (state ?? name ?? queue) === undefined
  return state !== undefined
}

const howToChoose = 'error: give either ids, or --state, with --name and --queue to narrow it'

async function actOnEach(
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

/** Page by page, each task once: one that comes back into that state meanwhile is not done again. */
async function actOnAll(
  engine: Tasks,
  { state, name, queue, json }: ActOptions,
  action: Action,
): Promise<void> {
  let done = 0
  let filter: ListFilter = {
    limit: pageSize,
    ...(state && { state }),
    ...(name && { name }),
    ...(queue && { queue }),
  }
  for (;;) {
    const page = await engine.list(filter)
    const last = page.at(-1)
    if (last === undefined) break
    const answers = await Promise.all(page.map(({ message }) => action.act(engine, message.id)))
    done += answers.filter((answer) => answer.done).length
    filter = { ...filter, before: last.message.id }
  }
  if (json) sayJson({ done })
  else say(`${done} ${action.done}`)
}

function refusal(action: string, state: string | undefined): string {
  return state === undefined ? 'no such task' : `can't ${action} a task that is ${state}`
}

/** Tasks are read with their arguments, which may be large. */
const pageSize = 100
