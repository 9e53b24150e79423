import { setTimeout as delay } from 'node:timers/promises'
import { asyncTask, currentUser } from 'macaron'
import type { Signup } from '../apis/helloworld.gen.ts'

/** Runs in an executor, as the user whose request fired it. `signup` is the same model as in the endpoint. */
export const sendWelcome = asyncTask(
  async function sendWelcome(signup: Signup) {
    await thirdPartyMail({
      to: signup.email,
      subject: `Welcome, ${signup.name}!`,
      sender: currentUser()?.sub,
    })
  },
  { retries: 3, backoff: { type: 'exponential', delay: '1s' } },
)

/** Stands for a slow third party. */
async function thirdPartyMail(_mail: { to: string; subject: string; sender: string | undefined }) {
  await delay(200)
}
