import { taskHandle } from 'macaron'
import { type CardStatus, Hello, type SayHello, type SendCard, SentCard } from '../apis/greetings.gen.ts'
import { writeCard } from '../tasks/cards.ts'

export const sayHello: SayHello = ({ name }) => new Hello({ message: `Hello, ${name}!` })

export const sendCard: SendCard = (card) => {
  // Stored before the reply leaves, run by a worker after it; not at all if this function fails.
  const { id } = writeCard.fire(card)
  return new SentCard({ id, state: 'queued' })
}

export const cardStatus: CardStatus = async ({ id }) => {
  const { state } = await taskHandle(id).status()
  return new SentCard({ id, state })
}
