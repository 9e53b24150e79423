// Made by Macaron from helloworld.yaml: change that, not this. [7:d617d9651b99b49e994dd972d0b81d1a]
/* eslint-disable */
import { defineModels, Model, type Result } from 'macaron'

export class Hello extends Model<HelloInit> {
  declare message: string
}

/** What `new Hello` takes. */
export interface HelloInit {
  readonly message: string
}

export class Signup extends Model<SignupInit> {
  declare name: string
  declare email: string
}

/** What `new Signup` takes. */
export interface SignupInit {
  readonly name: string
  readonly email: string
}

export class Account extends Model<AccountInit> {
  declare name: string
  declare email: string
  declare createdAt: Date
  /** Ask /mails/{id} what became of the welcome mail */
  declare mail: string
}

/** What `new Account` takes. */
export interface AccountInit {
  readonly name: string
  readonly email: string
  readonly createdAt: Date | string
  readonly mail: string
}

export class Mail extends Model<MailInit> {
  declare id: string
  declare state: string
  declare receipt?: string
}

/** What `new Mail` takes. */
export interface MailInit {
  readonly id: string
  readonly state: string
  readonly receipt?: string | undefined
}

/**
 * GET /hello
 * Say hello
 */
export type SayHello = (parameters: { name: string }) => Result<{ 200: HelloInit }>

/**
 * POST /signup
 * Sign up; a welcome mail is sent after the reply
 */
export type DoSignupUser = (body: Signup) => Result<{ 201: AccountInit }>

/**
 * GET /mails/{id}
 * What became of a mail
 */
export type MailStatus = (parameters: { id: string }) => Result<{ 200: MailInit }>

defineModels(new URL('./helloworld.yaml', import.meta.url), {
  Hello,
  Signup,
  Account,
  Mail,
})

declare module 'macaron' {
  interface ApiModelTypes {
    'helloworld 77d6c6ba': {
      helloworld: {
        Hello: typeof Hello
        Signup: typeof Signup
        Account: typeof Account
        Mail: typeof Mail
      }
    }
  }
}
