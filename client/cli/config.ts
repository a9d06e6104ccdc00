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
  /** A log that has grown over this is set aside; one older one is kept. */
  maxLogBytes: 10 * 1024 * 1024,
  /** How often logs are looked at. */
  logCheckMs: 60_000,
} as const;

/** Defaults of the commands that talk to a grid. */
export const clientDefaults = {
  url: 'http://localhost:8787',
  /** A token that `tabgrid token` mints. */
  tokenTtl: '30d',
} as const;
