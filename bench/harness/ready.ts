/** A `Program`'s own side: tells the bench that it answers now, and ends when the bench has ended. */
export function sayReady(): void {
  process.on('disconnect', () => process.exit())
  process.send?.({ id: 0, answer: 'ready' })
}
