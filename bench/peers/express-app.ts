import { fromPeers } from '../harness/peers.ts'
import { sayReady } from '../harness/ready.ts'
import type { Payload } from './queue.ts'

/** What the peers on Express have in common: as much of its types as they use, and how they listen. */
interface Express {
  (): App
  json(): unknown
}

export interface App {
  use(middleware: unknown): void
  post(path: string, handler: (request: { body: Payload }, response: Response) => void): void
  disable(setting: string): void
  set(setting: string, value: string): void
  listen(port: number, host: string, listening: () => void): void
}

export interface Response {
  status(code: number): Response
  json(body: unknown): void
}

/** An application that parses JSON bodies. */
export function newApp(): App {
  const express = fromPeers<Express>('express')
  const app = express()
  app.disable('x-powered-by')
  app.use(express.json())
  return app
}

/** Listens on the port that the bench has chosen. */
export function listen(app: App): void {
  app.listen(Number(process.argv[2]), '127.0.0.1', sayReady)
}
