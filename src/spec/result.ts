import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

/** What handlers may give. */

/**
 * What a handler of a generated type returns, by the replies that its operation declares (`{ 200: AccountInit; '4XX': Problem }`): the body of a
 * success (a model or plain data), a reply with a status of its own, or an error, which counts as thrown.
 */
export type Result<Replies> = Given<Replies> | Promise<Given<Replies>>

type Given<Replies> = Success<Replies> | OwnReplies<Replies> | Error

/** A reply with a status and headers of its own, as `reply()` makes it. */
export interface OwnReply<Status extends number = number, Body = unknown, Replies = never> {
  readonly status: Status
  readonly body: Body
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** Tells `reply()` what the operation declares where it stands. Never there at run time. */
  readonly [declaredReplies]?: (replies: Replies) => void
}

export declare const declaredReplies: unique symbol

/** A body that is sent as it is, where the spec declares a type other than JSON: text, bytes, or a stream of them. */
export type RawReply = string | Uint8Array | Readable | ReadableStream

/** The body that replies of a status have: as declared for it, its class (`4XX`) or by default; anything for errors and redirections of which nothing is said. */
export type BodyOf<Replies, Status> = unknown extends Replies
  ? unknown
  : Status extends keyof Replies
    ? Replies[Status]
    : ClassOf<Status> extends keyof Replies
      ? Replies[ClassOf<Status>]
      : Replies extends { readonly default: infer Body }
        ? Body
        : Status extends Undeclared<Replies>
          ? unknown
          : never

/** What is returned without a status: the body of a success, else that of the default reply. */
type Success<Replies> = [SuccessKey<Replies>] extends [never]
  ? Replies extends { readonly default: infer Body }
    ? Body
    : // biome-ignore lint/suspicious/noConfusingVoidType: what functions without a return give.
      void
  : Replies[SuccessKey<Replies>]

type SuccessKey<Replies> = {
  [Key in keyof Replies]: Key extends string | number ? (`${Key}` extends `2${string}` ? Key : never) : never
}[keyof Replies]

type OwnReplies<Replies> =
  | { [Key in keyof Replies]: OwnReply<StatusOf<Key, Replies>, Replies[Key], Replies> }[keyof Replies]
  | OwnReply<Undeclared<Replies>, unknown, Replies>

/** The statuses whose replies are declared under a key. */
type StatusOf<Key, Replies> = Key extends number
  ? Key
  : Key extends `${infer First}XX`
    ? Exclude<InClass<First>, keyof Replies>
    : Exclude<InClass<'2' | '3' | '4' | '5'>, Declared<Replies>>

/** Errors and redirections needn't be declared, nor anything where nothing is. */
type Undeclared<Replies> = Replies extends { readonly default: unknown }
  ? never
  : Exclude<InClass<keyof Replies extends never ? '2' | '3' | '4' | '5' : '3' | '4' | '5'>, Declared<Replies>>

type Declared<Replies> = {
  [Key in keyof Replies]: Key extends `${infer First}XX` ? InClass<First> : Key
}[keyof Replies]

type ClassOf<Status> = Status extends number
  ? `${Status}` extends `${infer First}${Digit}${Digit}`
    ? `${First}XX`
    : never
  : never

/** The hundred statuses that begin with a digit. */
type InClass<First extends string> = NumberOf<`${First}${Digit}${Digit}`>

type NumberOf<Text extends string> = Text extends `${infer Value extends number}` ? Value : never

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
