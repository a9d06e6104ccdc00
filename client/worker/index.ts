export { atMost, delay, systemClock, type Clock } from './lib/clock.ts';
export type { Connection, Transport, TransportListener } from './link/transport.ts';
export { WebSocketTransport, type WebSocketLike, type WebSocketTransportOptions } from './link/websocket.ts';
export { errorOf } from './link/diagnose.ts';
export { sessionDefaults, WorkerSession, type SessionParts } from './session/session.ts';
export { SessionMachine, type Moment } from './session/machine.ts';
export type {
  SessionEffect,
  SessionEvent,
  SessionInput,
  SessionOptions,
  SessionPhase,
  SessionStats,
} from './session/messages.ts';
export {
  attemptKey,
  type AbortReason,
  type ExecutionEvent,
  type ExecutionListener,
  type Executor,
  type GivenAssignment,
} from './execution/executor.ts';
export { Attempt, type AttemptHooks, type AttemptReport, type AttemptSettings } from './execution/attempt.ts';
export { failure, failureOf } from './execution/failure.ts';
export { ThreadPool, type PoolOptions } from './execution/pool.ts';
export { startLocalThread } from './execution/local-thread.ts';
export { serveThread, startThread, type RunningThread, type Thread } from './execution/remote-thread.ts';
export {
  ComputeThread,
  type RemoteHooks,
  type ThreadHooks,
  type ThreadParts,
  type ThreadReport,
  type ThreadSettings,
} from './execution/thread.ts';
export { pauseByMessage } from './lib/turns.ts';
export { HttpFiles, type FileStore, type HttpFilesOptions } from './files/http-files.ts';
export { RecordIndex, type RecordsPart } from './files/records.ts';
export type { CandidateValues, EvaluatorHost, FileAccess, TaskBodies, TaskBody, TaskContext } from './tasks/body.ts';
