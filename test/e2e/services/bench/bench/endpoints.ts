import { setTimeout as delay } from 'node:timers/promises'
import { type FireOptions, RequestError, reply, type TaskHandle } from 'macaron'
import { record } from '../bench/record.ts'
import { tasks } from '../tasks/bench.ts'

/** What a test asks for; see apis/bench.yaml. */
interface Wish {
  readonly task: string
  readonly args: readonly unknown[]
  readonly options?: FireOptions
  readonly times: number
  readonly now: boolean
  readonly end: string
}

export async function fire(wish: Wish) {
  const handles = await fireAll(wish)
  const ids = handles.map((handle) => handle.id)
  const endAsAsked = ends[wish.end]
  return endAsAsked === undefined ? { ids } : await endAsAsked(wish, handles)
}

export async function waitFor({ ms }: { ms: number }) {
  await delay(ms)
  return { ids: [] }
}

async function fireAll({ task, args, options, times, now }: Wish): Promise<readonly TaskHandle<unknown>[]> {
  const found = Object.entries(tasks).find(([name]) => name === task)?.[1]
  if (found === undefined) throw new RequestError('NO_SUCH_TASK', `There is no task ${task}`, { status: 404 })
  // The tests know which arguments each task takes.
  const { fire } = (options === undefined ? found : found.with(options)) as unknown as { fire: Fire }
  const handles: TaskHandle<unknown>[] = []
  for (let index = 0; index < times; index += 1) handles.push(await (now ? fire.now(...args) : fire(...args)))
  return handles
}

interface Fire {
  (...args: readonly unknown[]): TaskHandle<unknown>
  now(...args: readonly unknown[]): Promise<TaskHandle<unknown>>
}

type End = (wish: Wish, handles: readonly TaskHandle<unknown>[]) => unknown

const ends: Readonly<Record<string, End>> = {
  throw: () => {
    throw new Error('As the test asked')
  },
  throw_conflict: () => {
    throw new RequestError('AS_ASKED', 'As the test asked', { status: 409 })
  },
  reply_conflict: () => reply(409, { as: 'asked' }),
  // Fires once more after its time is over.
  hang: async (wish) => {
    await delay(1000)
    await fireAll(wish).catch((error: Error & { code?: string }) =>
      record({ phase: 'end', task: 'hang', error: error.code }),
    )
    return { ids: [] }
  },
  bad_reply: () => ({ ids: 'not a list' }),
  late: (wish, handles) => {
    setTimeout(() => void fireAll(wish), 50)
    return { ids: handles.map((handle) => handle.id) }
  },
  unportable: (wish) => {
    tasks.returns.fire(wish.args[0] as string, { deep: [{ call: () => 1 }] })
    return { ids: [] }
  },
  result: async (_wish, handles) => ({
    ids: handles.map((handle) => handle.id),
    result: await handles[0]?.result({ timeout: '5s' }),
  }),
}
