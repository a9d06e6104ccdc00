export { AsyncResult, ResultTimeout } from './async-result.ts';
export { Campaign, Campaigns, type CampaignSpecInput, type CampaignSummary, type ViewOptions } from './campaigns.ts';
export { EventStream, type EventFilter } from './events.ts';
export { FileStore, type GetOptions, type PutOptions } from './files.ts';
export { Grid, type QueueView, type TaskFilter } from './grid.ts';
export type { Clock } from './lib/clock.ts';
export type { GridOptions, WebSocketConstructor, WebSocketLike } from './options.ts';
export { signature, type SubmitOptions } from './signature.ts';
export { TabgridError } from '#protocol';
