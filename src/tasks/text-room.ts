const shared = Buffer.allocUnsafeSlow(65_536)

/**
 * Room for a text's UTF-8 behind `before` bytes, and to the end of a block of 16. It begins its own memory. The next who asks gets the same: nothing of it may be
 * kept.
 */
export function roomFor(text: string, before = 0): Buffer {
  // A UTF-16 unit takes 3 bytes at most.
  if (before + text.length * 3 + blockBytes <= shared.length) return shared
  const bytes = before + Buffer.byteLength(text)
  return Buffer.allocUnsafeSlow(Math.ceil(bytes / blockBytes) * blockBytes)
}

const blockBytes = 16
