import { test } from 'node:test'
import { killRounds } from './kill-rounds.ts'

const wanted = Number(process.env.MACARON_KILLS ?? 1000)

test(`${wanted} kills of servers, workers, executors and whole services lose nothing and run nothing in two places`, (t) =>
  killRounds(t, { wanted }))
