/**
 * The GPU cannot go on: the device is lost, or it refused something (a shader, an allocation). What was computed since the last
 * read-back is gone; callers go on in WASM and say so.
 */
export class GpuError extends Error {
  readonly code: 'lost' | 'fault';

  constructor(code: 'lost' | 'fault', why: string) {
    super(code === 'lost' ? `The GPU device was lost: ${why}` : `The GPU refused: ${why}`);
    this.name = 'GpuError';
    this.code = code;
  }
}
