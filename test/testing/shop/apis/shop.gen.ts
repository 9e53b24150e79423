// Made by Macaron from shop.yaml: change that, not this. [7:3a7a7d0946c1021f2f56d09eaafc11a0]
/* eslint-disable */
import { defineModels, Model, type Result } from 'macaron'

export class Order extends Model<OrderInit> {
  declare item: string
  declare at: Date
}

/** What `new Order` takes. */
export interface OrderInit {
  readonly item: string
  readonly at: Date | string
}

export class Placed extends Model<PlacedInit> {
  declare mail: string
}

/** What `new Placed` takes. */
export interface PlacedInit {
  readonly mail: string
}

/** POST /orders */
export type PlaceOrder = (body: Order) => Result<{ 201: PlacedInit }>

/** POST /rush */
export type Rush = (parameters: { end: 'well' | 'throw' }) => Result<{ 204: void }>

defineModels(new URL('./shop.yaml', import.meta.url), {
  Order,
  Placed,
})

declare module 'macaron' {
  interface ApiModelTypes {
    'shop 46a06bd0': {
      shop: {
        Order: typeof Order
        Placed: typeof Placed
      }
    }
  }
}
