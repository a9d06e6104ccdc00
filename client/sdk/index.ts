export { AsyncResult, ResultTimeout } from './async-result.ts';
export { Campaign, Campaigns, type CampaignSpecInput, type CampaignSummary, type ViewOptions } from './campaigns.ts';
export {
  chain,
  chord,
  chunks,
  group,
  immutable,
  linkError,
  map,
  s,
  si,
  starmap,
  withLabels,
  type Arguments,
  type ArrayOptions,
  type Canvas,
  type CanvasError,
  type OutputOf,
  type StepOptions,
} from './canvas.ts';
export { EventStream, type EventFilter } from './events.ts';
export { FileStore, type GetOptions, type PutOptions } from './files.ts';
export { Flow, type QueueView, type TaskTypeView } from './flow.ts';
export { Grid, type Answers, type AskOptions, type EventPosition, type RetriedTask, type TaskFilter } from './grid.ts';
export { file, parameterGrid, range, type Described, type Items } from './items.ts';
export type { Clock } from './lib/clock.ts';
export type { GridOptions, WebSocketConstructor, WebSocketLike } from './options.ts';
export { Schedules, type PutScheduleOptions, type ScheduleOptions } from './schedules.ts';
export { signature, type SubmitOptions, type TaskOptions } from './signature.ts';
export { WorkflowResult, Workflows, WorkflowTimeout, type WaitOptions, type WorkflowSummary } from './workflows.ts';
export { TabgridError } from '#protocol';
