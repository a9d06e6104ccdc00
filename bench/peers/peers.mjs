/**
 * Peers from npm: `node peers.mjs NAME` says what it is, then answers each line of JSON with one. Every answer has `seconds`, the processor
 * time of the work alone. Tables are files of little-endian f32 or f64: inputs row-major, then the targets.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);
const versionOf = (name) =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'node_modules', name, 'package.json'), 'utf8')).version;
// Libraries greet on the console; standard output is for answers.
console.log = console.info = console.warn = console.error;
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function timed(work) {
  const start = cpuSeconds();
  const result = await work();
  return { seconds: cpuSeconds() - start, result };
}

function readTable({ table, rows, columns }, Numbers) {
  const bytes = readFileSync(table);
  const numbers = new Numbers(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return {
    inputs: numbers.subarray(0, rows * columns),
    targets: numbers.subarray(rows * columns, rows * (columns + 1)),
  };
}

/** TensorFlow.js, WASM with SIMD, without threads. */
async function tfjs() {
  const tf = await import('@tensorflow/tfjs');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}${sep}`);
  wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();
  return {
    peer: `tfjs ${versionOf('@tensorflow/tfjs')} (${tf.getBackend()})`,
    async mlp(request) {
      const { inputs, targets } = readTable(request, Float32Array);
      const x = tf.tensor2d(inputs, [request.rows, request.columns]);
      const y = tf.tensor2d(targets, [request.rows, 1]);
      const model = tf.sequential();
      request.hidden.forEach((units, i) => {
        const inputShape = i === 0 ? { inputShape: [request.columns] } : {};
        model.add(tf.layers.dense({ units, activation: 'relu', kernelInitializer: 'heNormal', ...inputShape }));
      });
      model.add(tf.layers.dense({ units: 1 }));
      model.compile({ optimizer: tf.train.adam(0.001), loss: 'meanSquaredError' });
      const { seconds, result } = await timed(() =>
        model.fit(x, y, {
          batchSize: request.batch,
          epochs: request.epochs,
          shuffle: true,
          verbose: 0,
          yieldEvery: 'never',
        }),
      );
      tf.dispose([x, y]);
      model.dispose();
      return { seconds, loss: result.history.loss.at(-1) };
    },
  };
}

async function mlRandomForest() {
  const { RandomForestRegression } = require('ml-random-forest');
  return {
    peer: `ml-random-forest ${versionOf('ml-random-forest')}`,
    async forest(request) {
      const { inputs, targets } = readTable(request, Float64Array);
      const row = (i) => Array.from(inputs.subarray(i * request.columns, (i + 1) * request.columns));
      const x = Array.from({ length: request.train }, (_, i) => row(i));
      const forest = new RandomForestRegression({
        nEstimators: request.trees,
        maxFeatures: request.max_features ?? 1.0,
        replacement: true,
        noOOB: true,
        seed: 1,
        treeOptions: { maxDepth: request.depth },
      });
      const { seconds } = await timed(() => forest.train(x, Array.from(targets.subarray(0, request.train))));
      return { seconds };
    },
  };
}

const peers = { tfjs, 'ml-random-forest': mlRandomForest };
const peer = await peers[process.argv[2]]();
say({ peer: peer.peer });
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  say(await peer[request.work](request));
}
