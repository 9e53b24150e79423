import { setTimeout as delay } from 'node:timers/promises'
import { asyncTask, currentRequest, log } from 'macaron'
import type { Card } from '../apis/greetings.gen.ts'

/** Runs in the background, in the context of the request that fired it. A run that throws is repeated, three times at most. */
export const writeCard = asyncTask(
  async function writeCard(card: Card) {
    await thirdPartyPress(card)
    log.info(`A card to ${card.to} is in the post, asked for by ${currentRequest()?.ip}`)
  },
  { retries: 3, backoff: '5s' },
)

/** Stands for something slow. */
async function thirdPartyPress(_card: Card): Promise<void> {
  await delay(200)
}
