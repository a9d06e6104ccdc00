import { run } from './lib/run.ts';
import { createProgram } from './program.ts';

await run(createProgram(), process.argv.slice(2));
