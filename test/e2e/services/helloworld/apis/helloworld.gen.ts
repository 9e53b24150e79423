// Made by Macaron from helloworld.yaml: change that, not this. [7:2d3eed0b8003d66ee53a5a9fb2ca13ea]
/* eslint-disable */
import { defineModels, Model, type Result } from 'macaron'
import type { Question as QuestionParent } from '../helloworld/models.ts'

export class Hello extends Model<HelloInit> {
  declare message: string
}

/** What `new Hello` takes. */
export interface HelloInit {
  readonly message: string
}

export class Question extends Model<QuestionInit> {
  declare question: string
}

/** What Question has of its parent. */
export interface Question extends Pick<QuestionParent, keyof QuestionParent> {}

/** What `new Question` takes. */
export interface QuestionInit {
  readonly question: string
}

export class Error extends Model<ErrorInit> {
  declare status: number
  declare error: string
  declare error_description: string
  declare error_id?: string
  declare user_message?: string
}

/** What `new Error` takes. */
export interface ErrorInit {
  readonly status: number
  readonly error: string
  readonly error_description: string
  readonly error_id?: string | undefined
  readonly user_message?: string | undefined
}

/**
 * GET /hello
 * Greets whoever comes
 */
export type DoHello = () => Result<{ 200: HelloInit }>

/**
 * POST /hello/with/inheritance
 * Answers a question, by a method of the question
 */
export type DoHelloWithInheritance = (body: Question) => Result<{ 200: HelloInit }>

/**
 * GET /die
 * Crashes
 */
export type DoCrash = () => Result<{ 200: HelloInit }>

/**
 * GET /async
 * Fires a task
 */
export type DoAsync = () => Result<{ 200: HelloInit }>

/**
 * GET /asyncdie
 * Fires a task that fails
 */
export type DoAsyncDie = () => Result<{ 200: HelloInit }>

defineModels(new URL('./helloworld.yaml', import.meta.url), {
  Hello,
  Question,
  Error,
}, {
  Question: 'helloworld.models.Question',
})

declare module 'macaron' {
  interface ApiModelTypes {
    'helloworld c3a2066f': {
      helloworld: {
        Hello: typeof Hello
        Question: typeof Question
        Error: typeof Error
      }
    }
  }
}
