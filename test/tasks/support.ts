import type { EncodeOptions, ModelCodec } from '../../src/tasks/codec.ts'

/** A model as the spec side makes them: a class that the codec is told about. */
export class Money {
  declare amount: number
  declare currency: string
  declare extra: unknown

  constructor(own: Readonly<Record<string, unknown>>) {
    for (const [key, value] of Object.entries(own)) {
      Object.defineProperty(this, key, { value, enumerable: true, writable: true, configurable: true })
    }
  }

  text(): string {
    return `${this.amount} ${this.currency}`
  }
}

/** Knows one model, `shop.Money`. */
export const models: ModelCodec = {
  nameOf: (value) => (value instanceof Money ? { api: 'shop', name: 'Money' } : undefined),
  revive: (api, name, own) => {
    if (`${api}.${name}` !== 'shop.Money') throw new Error(`no model ${api}.${name}`)
    return new Money(own)
  },
}

export const encoding: EncodeOptions = { models, what: 'argument of test', maxBytes: 1_048_576 }
