import { answer } from '../program/answer.ts';
import { kernelModule } from '../pinned.ts';
import { Engine } from './engine.ts';

/** This very process. */
export async function openNode(): Promise<Engine> {
  const module = await kernelModule();
  return new Engine('node', process.versions.node, {
    ask: (question) => answer(module, question),
    close: () => Promise.resolve(),
  });
}
