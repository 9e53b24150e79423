/** What the hand-written endpoints check: body and reply, as in `services/jobs/apis/bench.yaml`. */
export const schema = {
  body: {
    type: 'object',
    required: ['name', 'email', 'note'],
    additionalProperties: false,
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 100 },
      email: { type: 'string', minLength: 3, maxLength: 200 },
      note: { type: 'string', maxLength: 1000 },
    },
  },
  response: {
    200: {
      type: 'object',
      required: ['ok', 'id'],
      properties: { ok: { type: 'boolean' }, id: { type: 'string' } },
    },
  },
}
