import { taskHandle } from 'macaron'
import {
  Account,
  type DoSignupUser,
  Hello,
  Mail,
  type MailStatus,
  type SayHello,
} from '../apis/helloworld.gen.ts'
import { sendWelcome } from '../tasks/mail.ts'

export const sayHello: SayHello = ({ name }) => new Hello({ message: `Hello, ${name}!` })

export const doSignupUser: DoSignupUser = (signup) => {
  // Stored before the reply leaves, run by a worker after it; not at all if this function fails.
  const mail = sendWelcome.fire(signup)
  return new Account({ name: signup.name, email: signup.email, createdAt: new Date(), mail: mail.id })
}

export const mailStatus: MailStatus = async ({ id }) => {
  const mail = await taskHandle(id).status()
  return new Mail({ id, state: mail.state })
}
