import { asError, codeOf } from '../core/errors.ts'
import type { TaskMessage } from '../tasks/message.ts'
import type { EnqueueAnswer } from './engine.ts'

/** What a store answers to messages: one answer each, also where it throws. */
export async function answersOf(
  batch: readonly TaskMessage[],
  store: (batch: readonly TaskMessage[]) => Promise<readonly EnqueueAnswer[]>,
): Promise<readonly EnqueueAnswer[]> {
  try {
    return await store(batch)
  } catch (thrown) {
    const error = asError(thrown)
    return batch.map(() => ({ stored: false, error }))
  }
}

/** Whether the store could not take a message that it may take another time: it was neither stored nor refused. */
export function isFailure(answer: EnqueueAnswer | undefined): boolean {
  return answer?.stored === false && codeOf(answer.error) !== 'STORE_REFUSED'
}

/** Why it could not take one of them; undefined where it was at fault for none. */
export function failureIn(answers: readonly EnqueueAnswer[]): Error | undefined {
  const failure = answers.find(isFailure)
  return failure?.stored === false ? failure.error : undefined
}
