export { GpuDevice, openGpu } from './device.ts';
export type { GpuOpening } from './device.ts';
export { GpuError } from './errors.ts';
export { Program } from './program.ts';
export type { Binding, Bound } from './program.ts';
export { Commands } from './commands.ts';
export { packRecords } from './records.ts';
export type { Word } from './records.ts';
