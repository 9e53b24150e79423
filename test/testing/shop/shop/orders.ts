import { AsyncLocalStorage } from 'node:async_hooks'
import { MacaronError } from 'macaron'
import type { PlaceOrder, Rush } from '../apis/shop.gen.ts'
import { confirm, note } from '../tasks/mails.ts'

export const placeOrder: PlaceOrder = (order) => ({ mail: confirm.fire(order).id })

/** Code of the last request that goes on after its end. */
export const afterwards: { fire?: () => void } = {}

export const rush: Rush = ({ end }) => {
  note.fire(end)
  afterwards.fire = AsyncLocalStorage.bind(() => void note.fire('later'))
  if (end === 'throw') throw new MacaronError('OUT_OF_STOCK', 'Nothing left', { status: 409 })
}
