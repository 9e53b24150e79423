import { defineService } from 'macaron'

/** What `service.ts` was told, in order. */
export const told: string[] = []

export const service = defineService({
  onStart: ({ role }) => void told.push(`start as ${role}`),
  onStop: ({ role }) => void told.push(`stop as ${role}`),
  errorReporter: (title, { task, request }) => void told.push(`${title} (${task?.name ?? request?.path})`),
})
