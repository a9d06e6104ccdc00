/** Doubles at the head of a run's block, in the order of `State` in state.as.ts. */
const SCALARS = [
  'mueff',
  'cc',
  'c1',
  'cmu',
  'cs',
  'damps',
  'chiN',
  'eigenGap',
  'alleviate',
  'seed',
  'stream',
  'position',
  'sigma',
  'iterations',
  'evaluations',
  'eigenAt',
  'csDecay',
  'allNan',
  'bestFun',
  'bestAt',
  'eliteFun',
  'etaMean',
  'etaCov',
  'powerMean',
  'powerCov',
  'fitBest',
  'fitWorst',
  'fitMedian',
  'fitUpper',
  'stdMax',
  'growth',
  'pathMax',
  'axisMin',
  'axisMax',
  'deafAxis',
  'deafCoordinate',
  'anchorDistance',
] as const;

/** Arrays of a run's block, in the order of `State` in state.as.ts. */
const PARTS = [
  'mean',
  'pc',
  'ps',
  'scale',
  'axes',
  'bestX',
  'anchor',
  'initialStd',
  'minStd',
  'maxStd',
  'lower',
  'upper',
  'lowerMargin',
  'upperMargin',
  'meanX',
  'yw',
  'zw',
  'lift',
  'spread',
  'elite',
  'drift',
  'values',
  'penalties',
  'merits',
  'weights',
  'factors',
  'order',
  'spare',
  'z',
  'y',
  'x',
  'c',
  'e',
  'driftC',
] as const;

/** What a run's block is laid out for: bits of `kind` in state.as.ts. */
export const KIND = { diagonal: 1, adaptive: 2 } as const;

export type Scalar = (typeof SCALARS)[number];
export type Part = (typeof PARTS)[number];

export const SCALAR_COUNT = SCALARS.length;

function numbered<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<Name, number>;
}

/** Place of each scalar in the head of the block. */
export const SCALAR = numbered(SCALARS);
/** Number of each part, for `cmaPart`. */
export const PART = numbered(PARTS);
