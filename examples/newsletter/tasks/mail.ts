import { asyncTask, currentTask, currentUser } from 'macaron'
import type { Issue } from '../apis/newsletter.gen.ts'
import { provider } from '../mail/provider.ts'

/** One task for each reader: what fails is repeated for that reader alone. They are stored with the success of this one, so never twice. */
export const sendIssue = asyncTask(function sendIssue({ subject, text, readers }: Issue) {
  for (const reader of readers) deliver.fire(reader, subject, text)
})

/** A provider that is down for an hour is no loss: 1 s, 2 s, 4 s, … up to ten minutes between the tries. */
export const deliver = asyncTask(
  async function deliver(to: string, subject: string, text: string) {
    // A task may run twice after a crash. Its id stays the same, by which the provider knows that it has this mail already.
    const key = currentTask()?.id ?? ''
    await provider.send({ key, from: currentUser()?.sub ?? '', to, subject, text })
  },
  { retries: 15, backoff: { type: 'exponential', delay: '1s', max: '10m' } },
)
