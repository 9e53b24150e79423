import type { Exchange } from '../exchange.ts'

/** One step of the pipeline. Throws to end the request with an error; returns a promise only where it must wait. */
export type Stage = (exchange: Exchange) => Promise<void> | undefined
