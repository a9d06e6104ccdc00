// The places of layout.ts, which gives every override here its value; and constants that the shader files share.

/// d, the largest λ, and the widest layer.
override D: u32;
override LAMBDA: u32;
override WIDTH: u32;
override MATRIX: u32 = D * D;

/// Invocations of a workgroup.
override LANES: u32;
/// The largest f32: stands for infinity, and for the value of what cannot be compared.
const BIG: f32 = 0x1.fffffep127f;

/// Numbers that do not change.
override PARAMETER_STRIDE: u32;
override P_MUEFF: u32;
override P_CC: u32;
override P_C1: u32;
override P_CMU: u32;
override P_CS: u32;
override P_DAMPS: u32;
override P_CHI_N: u32;
override P_ALLEVIATE: u32;
override P_EIGEN_GAP: u32;
override P_WEIGHT_SUM: u32;
override P_FTARGET: u32;
override P_TOLFUN: u32;
override P_TOLFUNHIST: u32;
override P_TOLFUNREL: u32;
override P_TOLX: u32;
override P_TOLFACUPX: u32;
override P_TOLUPSIGMA: u32;
override P_CONDITION_ROOT: u32;
override P_TOLFLATFITNESS: u32;
override P_XSTAGNATION: u32;
override P_SIGN: u32;
override P_KAPPA: u32;
override P_XI: u32;
override P_BEST: u32;
override P_STD_FLOOR: u32;
override P_INITIAL_STD: u32;
override P_MIN_STD: u32;
override P_MAX_STD: u32;
override P_LOWER: u32;
override P_UPPER: u32;
override P_LOWER_MARGIN: u32;
override P_UPPER_MARGIN: u32;
override P_WEIGHTS: u32;

/// Integers that do not change.
override SETUP_STRIDE: u32;
override U_LAMBDA: u32;
override U_MU: u32;
override U_BOUNDED: u32;
override U_OBJECTIVE: u32;
override U_FUNCTION: u32;
override U_MEMBER: u32;
override U_MAXFEVALS: u32;
override U_MAXITER: u32;
override U_RECENT: u32;
override U_SEED: u32;
override U_SEED_HIGH: u32;
override U_STREAM: u32;
override U_STREAM_HIGH: u32;

/// Integers of the state.
override COUNTER_STRIDE: u32;
override C_ITERATIONS: u32;
override C_EVALUATIONS: u32;
override C_EIGEN_AT: u32;
override C_POSITION: u32;
override C_POSITION_HIGH: u32;
override C_BEST_AT: u32;
override C_FLAT: u32;
override C_ANCHORED: u32;
override C_ALL_NAN: u32;
override C_REMEMBERED: u32;
override C_DEAF_COORDINATE: u32;
override C_DEAF_AXIS: u32;
override C_REASONS: u32;

/// Numbers of the state.
override NUMBER_STRIDE: u32;
override N_SIGMA: u32;
override N_CS_DECAY: u32;
override N_BEST_FUN: u32;
override N_FIT_BEST: u32;
override N_FIT_WORST: u32;
override N_FIT_MEDIAN: u32;
override N_FIT_UPPER: u32;
override N_STD_MAX: u32;
override N_GROWTH: u32;
override N_PATH_MAX: u32;
override N_AXIS_MIN: u32;
override N_AXIS_MAX: u32;
override N_ANCHOR_DISTANCE: u32;
override N_FIRST_MEDIAN: u32;
override N_LEAST_MEDIAN: u32;
override N_MEAN: u32;
override N_PC: u32;
override N_PS: u32;
override N_SCALE: u32;
override N_AXES: u32;
override N_BEST_X: u32;
override N_ANCHOR: u32;
override N_COVARIANCE: u32;
override N_VECTORS: u32;
override N_RECENT: u32;
override N_HISTORY: u32;

/// What a generation needs.
override SCRATCH_STRIDE: u32;
override X_Z: u32;
override X_Y: u32;
override X_X: u32;
override X_VALUES: u32;
override X_ORDER: u32;
override X_FACTORS: u32;
override X_PRODUCT: u32;
override X_PREDICTIONS: u32;
override X_LAYERS: u32;

/// Bits in the order of SHADER_REASONS.
const R_FTARGET: u32 = 1u;
const R_MAXFEVALS: u32 = 2u;
const R_MAXITER: u32 = 4u;
const R_TOLFUN: u32 = 8u;
const R_TOLFUNREL: u32 = 16u;
const R_TOLFUNHIST: u32 = 32u;
const R_TOLFLATFITNESS: u32 = 64u;
const R_TOLXSTAGNATION: u32 = 128u;
const R_TOLFACUPX: u32 = 256u;
const R_TOLX: u32 = 512u;
const R_TOLUPSIGMA: u32 = 1024u;
const R_NOEFFECTCOORD: u32 = 2048u;
const R_NOEFFECTAXIS: u32 = 4096u;
const R_TOLCONDITIONCOV: u32 = 8192u;
const R_ALLNAN: u32 = 16384u;

const ALL_NAN_ITERATIONS: u32 = 10u;

/// F32_FLOORS of contract.ts.
const X_FLOOR: f32 = 0x1p-21f;
const F_FLOOR: f32 = 0x1p-21f;
const F_HIST_FLOOR: f32 = 0x1p-22f;
const FLOOR: f32 = 1e-7;

/// Objectives and acquisitions in the order of contract.ts.
const OBJECTIVE_FUNCTION: u32 = 0u;
const ACQUISITION_EI: u32 = 0u;
const ACQUISITION_UCB: u32 = 1u;
const ACQUISITION_PI: u32 = 2u;
/// The mean alone, or one member's word.
const ACQUISITION_MEAN: u32 = 3u;
