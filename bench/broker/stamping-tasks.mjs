/** For `tabgrid worker --tasks`: `ping` whose answer tells, as its worker, when it was called, in ns of the machine’s monotonic clock. */
export const bodies = {
  ping: async () => ({ status: 'pong', worker: String(process.hrtime.bigint()) }),
};
