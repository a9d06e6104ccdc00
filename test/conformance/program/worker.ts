/** The program of workerd: a question is the body of a request. */
// eslint-disable-next-line @typescript-eslint/ban-ts-comment -- the module is there in workerd alone
// @ts-ignore
import kernels from './kernels.wasm';
import { answer } from './answer.ts';
import type { Question } from './answer.ts';

// eslint-disable-next-line no-restricted-exports -- workerd takes handlers from there
export default {
  fetch: async (request: Request): Promise<Response> =>
    Response.json(await answer(kernels as WebAssembly.Module, (await request.json()) as Question)),
};
