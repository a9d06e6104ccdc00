/** The program of engines that fetch their work: each request brings an answer and waits for the next question. */
import { answer } from './answer.ts';
import type { Answer, Question } from './answer.ts';

/** Set in front of this program by whoever serves it. */
declare const conformanceAddress: string;

async function post(reply: Answer | null): Promise<Question | null> {
  const response = await fetch(conformanceAddress, { method: 'POST', body: JSON.stringify(reply) });
  return (await response.json()) as Question | null;
}

const bytes = await (await fetch(`${conformanceAddress}/kernels.wasm`)).arrayBuffer();
const module = await WebAssembly.compile(bytes);
for (let question = await post(null); question !== null;) question = await post(await answer(module, question));
