/** Of training sets, options and models alike. */
export const LIMITS = {
  hiddenLayers: 16,
  width: 8192,
  parameters: 1 << 26,
  /** Rows of a batch times the widest layer. */
  batchNumbers: 1 << 26,
  epochs: 10_000_000,
} as const;
