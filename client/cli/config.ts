/** Defaults of `tabgrid serve`. */
export const serveDefaults = {
  port: 8787,
  /** This machine alone. `0.0.0.0` lets the local network in. */
  host: '127.0.0.1',
  stateDir: '.tabgrid',
  /** A year, the longest that the edge accepts is a day more. Renewed at a start in its second half. */
  adminTokenTtlSeconds: 365 * 86_400,
  /** How long the edge may take until it answers. */
  startTimeoutMs: 30_000,
  /** The log is set aside at a start at which it is larger than this; one older log is kept. */
  maxLogBytes: 10 * 1024 * 1024,
} as const;

/** Defaults of the commands that talk to a grid. */
export const clientDefaults = {
  url: 'http://localhost:8787',
  /** A token that `tabgrid token` mints. */
  tokenTtl: '30d',
} as const;
