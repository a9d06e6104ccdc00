export { MlpGroup } from './group.ts';
export type { GroupOptions, GroupResources } from './group.ts';
export { GROUP_TOLERANCE } from './contract.ts';
export type { MemberReport, Placement } from './contract.ts';
export { MlpGroupPredictor } from './predictor.ts';
