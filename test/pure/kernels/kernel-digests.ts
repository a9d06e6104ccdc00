/**
 * Digests of what the kernel binary computes. They are the same on every engine and processor; nothing here needs Node, so
 * that other engines can run it against `golden/mlp/digests.json`.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { instantiate, math } from '../../../kernels/index.ts';
import { MlpPredictor, MlpTrainer } from '../../../kernels/mlp/index.ts';
import type { MlpOptions } from '../../../kernels/mlp/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import { defaults, smoothData } from './mlp-data.ts';

const digest = (numbers: ArrayLike<number>): string =>
  bytesToHex(sha256(new Uint8Array(Float64Array.from(numbers).buffer)));

/** Every function over arguments of many magnitudes. */
function mathDigest(module: WebAssembly.Module): string {
  const f = math(instantiate(module));
  const numbers: number[] = [];
  for (let i = -600; i <= 600; i++) {
    const x = i * 0.0917;
    const positive = Math.abs(x) + 0.001;
    numbers.push(f.exp(x), f.expm1(x), f.sin(x), f.cos(x), f.tanh(x), f.erf(x), f.erfc(x));
    numbers.push(f.log(positive), f.log1p(positive), f.log2(positive), f.log10(positive), f.pow(positive, 1.37));
    numbers.push(f.normalPdf(x), f.normalCdf(x), f.logNormalCdf(x), f.normalQuantile((i + 601) / 1202));
  }
  return digest(numbers);
}

function rngDigest(): string {
  const rng = new Rng(2 ** 52 + 12345, 77);
  return digest(
    Array.from({ length: 5000 }, () => [rng.uniform(), rng.normal(), rng.integer(1000), rng.uint32()]).flat(),
  );
}

function mlpDigest(module: WebAssembly.Module, options: MlpOptions): string {
  const data = smoothData(301, 7, 3, 21);
  const trainer = MlpTrainer.create(module, data, options);
  const losses: number[] = [];
  while (!trainer.done) {
    const { trainLoss, validationLoss } = trainer.step();
    losses.push(trainLoss, validationLoss ?? 0);
  }
  const predictor = new MlpPredictor(module, [trainer.finish()]);
  const { mean } = predictor.predict(data.inputs, data.rows);
  const text = new TextEncoder().encode(JSON.stringify(trainer.finish()));
  return digest([...losses, ...mean, ...text, ...trainer.snapshot()]);
}

export function kernelDigests(module: WebAssembly.Module): Record<string, string> {
  return {
    math: mathDigest(module),
    rng: rngDigest(),
    'mlp-relu': mlpDigest(module, { ...defaults, hidden: [40, 24], epochs: 30, batchSize: 37 }),
    'mlp-tanh': mlpDigest(module, { ...defaults, hidden: [33], activation: 'tanh', patience: 3, epochs: 30 }),
  };
}
