import { emit, isHeard } from '../../core/events.ts'
import type { Exchange } from '../exchange.ts'

/** Says that a request of a known caller is served from here on. */
export function announce(exchange: Exchange): undefined {
  if (!isHeard('request.start')) return
  const { callId, method, path, userId } = exchange
  emit('request.start', { callId, method, url: path, userId })
}
