import * as comlink from 'comlink';
import { ComputeThread, type RemoteHooks, type ThreadHooks } from '../../client/worker/index.ts';
import { residentBytes } from '../memory.ts';
import { threadParts } from '../thread-parts.ts';
import { channelOf } from './channel.ts';
import { openDawn, ProcessGpu } from './device.ts';
import { GpuService } from './service.ts';

if (process.send === undefined) throw new Error('This file runs in a process of a worker.');

// Ctrl-C and service managers tell all processes at once; when this one ends is for its worker to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
// The worker is gone. An orderly exit would run into Dawn, which aborts when a read-back is under way.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const gpu = new ProcessGpu(openDawn);
const thread = new ComputeThread({ ...threadParts, memoryBytes: residentBytes, gpu: () => gpu.open() });
const hooks = comlink.wrap<ThreadHooks>(channelOf(process, 'hooks')) as unknown as RemoteHooks;
comlink.expose(new GpuService(thread, gpu, hooks), channelOf(process, 'thread'));
