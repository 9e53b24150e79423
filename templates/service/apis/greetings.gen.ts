// Made by Macaron from greetings.yaml: change that, not this. [7:fcd16f94a8fffa8df5d4e1c54c91041d]
/* eslint-disable */
import { defineModels, Model, type Result } from 'macaron'

export class Hello extends Model<HelloInit> {
  declare message: string
}

/** What `new Hello` takes. */
export interface HelloInit {
  readonly message: string
}

export class Card extends Model<CardInit> {
  declare to: string
  declare text: string
}

/** What `new Card` takes. */
export interface CardInit {
  readonly to: string
  readonly text: string
}

export class SentCard extends Model<SentCardInit> {
  declare id: string
  declare state: string
}

/** What `new SentCard` takes. */
export interface SentCardInit {
  readonly id: string
  readonly state: string
}

/**
 * GET /hello
 * Say hello
 */
export type SayHello = (parameters: { name: string }) => Result<{ 200: HelloInit }>

/**
 * POST /cards
 * Send a greeting card; it is written after the reply
 */
export type SendCard = (body: Card) => Result<{ 200: SentCardInit }>

/**
 * GET /cards/{id}
 * What became of a card
 */
export type CardStatus = (parameters: { id: string }) => Result<{ 200: SentCardInit }>

defineModels(new URL('./greetings.yaml', import.meta.url), {
  Hello,
  Card,
  SentCard,
})

declare module 'macaron' {
  interface ApiModelTypes {
    'greetings f654612e': {
      greetings: {
        Hello: typeof Hello
        Card: typeof Card
        SentCard: typeof SentCard
      }
    }
  }
}
