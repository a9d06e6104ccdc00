/**
 * Where a fleet keeps its numbers on the GPU: records of fields, one record a run in each buffer. The shader gets every place as
 * a constant named after the field, so that this file alone decides.
 */

/** What the places depend on. */
export interface FleetShape {
  /** d */
  readonly dimension: number;
  /** Largest λ of the fleet. */
  readonly popsize: number;
  /** Largest number of best values that a run compares (see `recentLength`). */
  readonly recent: number;
  /** Widest layer of the ensemble, inputs included; 0 without one. */
  readonly width: number;
  /** M; 0 without an ensemble. */
  readonly members: number;
}

/** Generations of one step, which is what a run's history has room for. */
export const STEP_GENERATIONS = 32;

/** Up to here, and without an ensemble, 32 invocations have enough to do, and barriers between fewer are cheaper. */
const SMALL_DIMENSION = 20;

/** Best values of late that termination looks at. */
export function recentLength(dimension: number, popsize: number): number {
  return Math.floor(10 + (30 * dimension) / popsize);
}

type Fields = Readonly<Record<string, number>>;

/** Fields with the numbers that each takes, in their order. */
const scalars = (...names: readonly string[]): Fields => Object.fromEntries(names.map((name) => [name, 1]));
const vectors = (length: number, ...names: readonly string[]): Fields =>
  Object.fromEntries(names.map((name) => [name, length]));

/** Prefix of the shader's constants, and fields, of each buffer. */
function records({ dimension: d, popsize, recent, width, members }: FleetShape) {
  return {
    PARAMETER: {
      prefix: 'P',
      fields: {
        ...scalars('MUEFF', 'CC', 'C1', 'CMU', 'CS', 'DAMPS', 'CHI_N', 'ALLEVIATE', 'EIGEN_GAP', 'WEIGHT_SUM'),
        ...scalars('FTARGET', 'TOLFUN', 'TOLFUNHIST', 'TOLFUNREL', 'TOLX', 'TOLFACUPX', 'TOLUPSIGMA'),
        ...scalars('CONDITION_ROOT', 'TOLFLATFITNESS'),
        ...vectors(3, 'XSTAGNATION'),
        ...scalars('SIGN', 'KAPPA', 'XI', 'BEST', 'STD_FLOOR'),
        ...vectors(d, 'INITIAL_STD', 'MIN_STD', 'MAX_STD', 'LOWER', 'UPPER', 'LOWER_MARGIN', 'UPPER_MARGIN'),
        ...vectors(popsize, 'WEIGHTS'),
      },
    },
    SETUP: {
      prefix: 'U',
      fields: {
        ...scalars('LAMBDA', 'MU', 'BOUNDED', 'OBJECTIVE', 'FUNCTION', 'MEMBER', 'MAXFEVALS', 'MAXITER', 'RECENT'),
        ...scalars('SEED', 'SEED_HIGH', 'STREAM', 'STREAM_HIGH'),
      },
    },
    COUNTER: {
      prefix: 'C',
      fields: {
        ...scalars('ITERATIONS', 'EVALUATIONS', 'EIGEN_AT', 'POSITION', 'POSITION_HIGH', 'BEST_AT', 'FLAT', 'ANCHORED'),
        ...scalars('ALL_NAN', 'REMEMBERED', 'DEAF_COORDINATE', 'DEAF_AXIS', 'REASONS'),
      },
    },
    NUMBER: {
      prefix: 'N',
      fields: {
        ...scalars('SIGMA', 'CS_DECAY', 'BEST_FUN', 'FIT_BEST', 'FIT_WORST', 'FIT_MEDIAN', 'FIT_UPPER', 'STD_MAX'),
        ...scalars('GROWTH', 'PATH_MAX', 'AXIS_MIN', 'AXIS_MAX', 'ANCHOR_DISTANCE', 'FIRST_MEDIAN', 'LEAST_MEDIAN'),
        ...vectors(d, 'MEAN', 'PC', 'PS', 'SCALE', 'AXES', 'BEST_X', 'ANCHOR'),
        ...vectors(d * d, 'COVARIANCE', 'VECTORS'),
        ...vectors(recent, 'RECENT'),
        ...vectors(2 * STEP_GENERATIONS, 'HISTORY'),
      },
    },
    SCRATCH: {
      prefix: 'X',
      fields: {
        ...vectors(popsize * d, 'Z', 'Y', 'X'),
        ...vectors(popsize, 'VALUES', 'ORDER', 'FACTORS'),
        ...vectors(d * d, 'PRODUCT'),
        ...vectors(members * popsize, 'PREDICTIONS'),
        ...vectors(2 * popsize * width, 'LAYERS'),
      },
    },
  } as const;
}

export type RecordName = keyof ReturnType<typeof records>;

/** Reasons to stop that the shader finds, each the bit of its place here. */
export const SHADER_REASONS = [
  'ftarget',
  'maxfevals',
  'maxiter',
  'tolfun',
  'tolfunrel',
  'tolfunhist',
  'tolflatfitness',
  'tolxstagnation',
  'tolfacupx',
  'tolx',
  'tolupsigma',
  'noeffectcoord',
  'noeffectaxis',
  'tolconditioncov',
  'allnan',
] as const;

/** Places of all fields, and the shader's constants. */
export class FleetLayout {
  readonly shape: FleetShape;
  /** Values of the shader's `override` constants. */
  readonly constants: Readonly<Record<string, number>>;
  readonly #strides = new Map<RecordName, number>();
  readonly #places = new Map<string, number>();

  constructor(shape: FleetShape) {
    this.shape = shape;
    const { dimension: D, popsize: LAMBDA, width: WIDTH } = shape;
    const isSmall = WIDTH === 0 && D <= SMALL_DIMENSION;
    const constants: Record<string, number> = { D, LAMBDA, WIDTH, LANES: isSmall ? 32 : 64 };
    for (const [record, { prefix, fields }] of Object.entries(records(shape))) {
      let place = 0;
      for (const [field, length] of Object.entries(fields)) {
        constants[`${prefix}_${field}`] = place;
        this.#places.set(`${prefix}_${field}`, place);
        place += length;
      }
      constants[`${record}_STRIDE`] = place;
      this.#strides.set(record as RecordName, place);
    }
    this.constants = constants;
  }

  /** Numbers of a run's record. */
  stride(record: RecordName): number {
    return this.#strides.get(record) ?? NaN;
  }

  /** Place of a field in its record, by the name that the shader has for it. */
  at(field: string): number {
    const place = this.#places.get(field);
    if (place === undefined) throw new RangeError(`No field ${field}.`);
    return place;
  }
}
