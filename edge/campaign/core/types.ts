import type {
  CampaignId,
  CampaignIteration,
  CampaignSpec,
  CampaignState,
  ErrorCode,
  EventType,
  Json,
  JsonObject,
  Outcome,
  TaskError,
} from '#protocol';
import type { TaskName } from '#catalog';

/** The designs that can be tried, each once. */
export interface Pool {
  /** Where each design stands in the file, counted from 0; of rows with equal inputs, the first. */
  readonly rows: readonly number[];
  /** Its inputs, in the order of the campaign’s names. */
  readonly inputs: readonly (readonly number[])[];
}

/** What a model says of a point, one number for each objective. */
export interface Prediction {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A prediction as it was used: `std` is the model’s own times `scale`. */
export interface ScaledPrediction extends Prediction {
  readonly scale: readonly number[];
}

export type CandidateOutcome =
  | { readonly type: 'pending' }
  /** One value for each objective, all finite. */
  | { readonly type: 'observed'; readonly values: readonly number[] }
  | { readonly type: 'failed'; readonly error: string };

export interface Candidate {
  /** Its place in the order of candidates, from 0: the order in which models learn from them. */
  readonly index: number;
  readonly iteration: number;
  /** Drawn before the first model, proposed by one, drawn at random for want of one, or given by a person or a data set. */
  readonly origin: 'initial' | 'surrogate' | 'random' | 'given';
  /** Its row of the pool’s file; null for a point of a box and for a given design that is not in the pool. */
  readonly row: number | null;
  readonly inputs: readonly number[];
  /** Made before the evaluation, by a model that had not seen it. */
  readonly prediction: ScaledPrediction | null;
  readonly outcome: CandidateOutcome;
}

/** An observation from outside: a row of the data set to begin with, or a person’s own result. */
export interface Given {
  readonly inputs: readonly number[];
  /** Null when the experiment failed. */
  readonly values: readonly number[] | null;
}

/** A point that the search ended in. */
export interface SearchResult {
  readonly x: readonly number[];
  /** Minus the acquisition’s score. */
  readonly fun: number;
  readonly prediction: Prediction;
}

export interface Proposal {
  readonly row: number | null;
  readonly inputs: readonly number[];
  readonly prediction: Prediction | null;
}

/** Where a campaign stands. What of a phase has come in is part of it; what is missing is under way as tasks. */
export type Phase =
  /** The files that it begins with are being read. */
  | { readonly type: 'loading' }
  /** A surrogate learns from all observations; one task for each group of members. */
  | {
      readonly type: 'training';
      /** Where the observations lie when they are too many for a task’s arguments; null when they travel in them. */
      readonly dataPath: string | null;
      readonly written: boolean;
      readonly models: readonly (string | null)[];
    }
  /** Every untried design of the pool is scored, in one task. */
  | { readonly type: 'scoring' }
  /** CMA-ES looks for the acquisition’s maxima in a box, from several starts at once; further rounds know what the ones before chose. */
  | {
      readonly type: 'searching';
      readonly round: number;
      readonly results: readonly (SearchResult | null)[];
      readonly chosen: readonly Proposal[];
    }
  /** The candidates from `from` until before `to` are being tried. */
  | { readonly type: 'evaluating'; readonly from: number; readonly to: number }
  | { readonly type: 'finished'; readonly state: 'SUCCESS' | 'FAILURE' | 'STOPPED'; readonly reason: string };

/** What fits one small row: everything but the lists. */
export interface CampaignHead {
  readonly campaignId: CampaignId;
  readonly spec: CampaignSpec;
  readonly createdMs: number;
  readonly finishedMs: number | null;
  readonly phase: Phase;
  readonly paused: boolean;
  /** True while the phase’s tasks wait for `resume` before they are submitted. */
  readonly held: boolean;
  /** Names of the inputs; empty until a pool has been read. */
  readonly names: readonly string[];
  readonly iteration: number;
  readonly iterationStartedMs: number;
  /** Iterations in a row without improvement. */
  readonly stale: number;
  /** The newest surrogate’s files. */
  readonly models: readonly string[];
  /** The Pareto front of the first `considered` candidates, by index. */
  readonly front: readonly number[];
  readonly considered: number;
}

/** An iteration as it is kept: what was proposed stands in the list of candidates, from `from` until before `to`. */
export type IterationRecord = Omit<CampaignIteration, 'proposed'> & { readonly from: number; readonly to: number };

/** All that a campaign is. Never changed in place: an entry of a list that is the same object is the same in storage. */
export interface CampaignCore extends CampaignHead {
  readonly pool: Pool | null;
  readonly candidates: readonly Candidate[];
  readonly iterations: readonly IterationRecord[];
}

export type CampaignEvent =
  | {
      readonly type: 'loaded';
      readonly names: readonly string[];
      readonly pool: Pool | null;
      readonly given: readonly Given[];
    }
  | { readonly type: 'not_loaded'; readonly message: string }
  /** The file of observations lies at this path. */
  | { readonly type: 'data_written'; readonly path: string }
  | {
      readonly type: 'task_finished';
      readonly ref: string;
      readonly state: 'SUCCESS' | 'FAILURE' | 'REVOKED';
      readonly result: Json;
      readonly error: TaskError | null;
    }
  /** It cannot go on: tasks that it needs were refused, or a defect came to light. */
  | { readonly type: 'broken'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'given'; readonly items: readonly Given[] }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'stop'; readonly reason: string }
  /** Somebody revoked the task that stands for the campaign. */
  | { readonly type: 'revoked' };

export interface PlannedTask {
  /** The campaign’s name for it; a task is planned once under each. */
  readonly ref: string;
  readonly task: TaskName;
  readonly kwargs: JsonObject;
}

export type CampaignCommand =
  | { readonly type: 'submit'; readonly tasks: readonly PlannedTask[] }
  /** Everything that is still under way. */
  | { readonly type: 'revoke_all' }
  | { readonly type: 'delete_files'; readonly paths: readonly string[] }
  | { readonly type: 'event'; readonly event: EventType; readonly data: Json }
  /** Ends the task that stands for the campaign. */
  | { readonly type: 'finish'; readonly outcome: Outcome };

export interface Step {
  readonly state: CampaignCore;
  readonly commands: readonly CampaignCommand[];
}

/** The state as the API tells it. */
export function stateName({ phase, paused }: Pick<CampaignHead, 'phase' | 'paused'>): CampaignState {
  if (phase.type === 'finished') return phase.state;
  return paused ? 'PAUSED' : 'RUNNING';
}
