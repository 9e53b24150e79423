import { setTimeout as delay } from 'node:timers/promises'

export interface Mail {
  /** Two mails with one key are one mail. */
  readonly key: string
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Stands for a third party that is slow, and at times not there at all. */
export class MailProvider {
  /** How long it takes, in ms. */
  slowness = 300
  /** How many of its answers are errors, from 0 to 1. */
  failures = 0.3
  /** What it has taken, by key. */
  readonly sent = new Map<string, Mail>()

  async send(mail: Mail): Promise<void> {
    await delay(this.slowness)
    if (Math.random() < this.failures) throw new Error('503 from the mail provider')
    this.sent.set(mail.key, mail)
  }
}

export const provider = new MailProvider()
