/**
 * What is used of `node:http`. To `import` that module reads everything it offers, and some of it (WebSocket and its events) is only loaded when read: that
 * would cost every process 14 MB, and a server a quarter of its start.
 */
export const { createServer, request, STATUS_CODES, validateHeaderName, validateHeaderValue } =
  process.getBuiltinModule('node:http')
