export {
  forestNew,
  forestValues,
  forestTargets,
  forestCentred,
  forestNodes,
  forestNodeCount,
  forestThresholds,
  forestLeaves,
  forestImportances,
} from './state.as';
export { forestSort } from './sort.as';
export { forestGrow } from './grow.as';
export { forestLink, forestApply, forestSpread } from './predict.as';
