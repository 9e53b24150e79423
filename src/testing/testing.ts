/** The public names of `macaron/testing`. */
export {
  type FakeAnswers,
  type FakeCall,
  type FakedClient,
  type FakeReply,
  fakeClient,
} from '../clients/fake.ts'
export type { TestClient, TestRequest } from './client.ts'
export type { CrashPlan, DeliveryPlan, Faults, HeldStore, RefusalPlan } from './faults.ts'
export type { FiredContext, FiredTask } from './fired.ts'
export type { RanTask } from './ran-task.ts'
export type { TestReply } from './reply.ts'
export type { DrainOptions, RunOptions, TestTasks } from './tasks.ts'
export type { TestClock } from './test-clock.ts'
export { type TestService, type TestServiceOptions, testService } from './test-service.ts'
