export {
  contributions,
  crowding,
  defaultReference,
  front,
  hypervolume,
  paretoSummary,
  ranks,
  worstPoint,
} from './run.ts';
export type { ParetoSummary } from './run.ts';
export { HYPERVOLUME_TOLERANCE, MAX_OBJECTIVES, MAX_POINTS, MAX_RANKED_OBJECTIVES } from './contract.ts';
export type { Direction, Points } from './contract.ts';
