import { type Publish, Published } from '../apis/newsletter.gen.ts'
import { sendIssue } from '../tasks/mail.ts'

export const publish: Publish = (issue) => new Published({ task: sendIssue.fire(issue).id })
