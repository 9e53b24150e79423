import type { Operation } from './api.ts'

/** What an operation is called by its clients: its operationId, else its method and path, `GET /users/{id}`. */
export function operationName({ operationId, method, path }: Operation): string {
  return operationId ?? `${method.toUpperCase()} ${path}`
}
