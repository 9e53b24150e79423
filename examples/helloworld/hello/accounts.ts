import { taskHandle } from 'macaron'
import { Account, Hello, Mail, type Signup } from '../apis/helloworld.gen.ts'
import { sendWelcome } from '../tasks/mail.ts'

export function sayHello({ name }: { name: string }) {
  return new Hello({ message: `Hello, ${name}!` })
}

export async function doSignupUser(signup: Signup) {
  // Stored before the reply leaves, run by a worker after it; not at all if this function fails.
  const mail = sendWelcome.fire(signup)
  return new Account({ name: signup.name, email: signup.email, createdAt: new Date(), mail: mail.id })
}

export async function mailStatus({ id }: { id: string }) {
  const mail = await taskHandle(id).status()
  return new Mail({ id, state: mail.state })
}
