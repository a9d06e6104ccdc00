import type { Pointer } from '../runtime/index.ts';

/** Functions of mlp.as.ts. `network` is the address that `mlpNew` gave; plain form is that of layers.ts. */
export interface MlpExports {
  mlpNew(widths: Pointer, depth: number, activation: number, loss: number, capacity: number, training: number): Pointer;
  mlpConfigure(network: Pointer, dropout: number, beta: number): void;
  mlpParameters(network: Pointer): Pointer;
  mlpFirstMoment(network: Pointer): Pointer;
  mlpSecondMoment(network: Pointer): Pointer;
  mlpBest(network: Pointer): Pointer;
  /** Copies the parameters to the arena `mlpBest`. */
  mlpKeep(network: Pointer): void;
  /** Plain form → arena. */
  mlpPack(network: Pointer, plain: Pointer, arena: Pointer): void;
  /** Arena → plain form. */
  mlpUnpack(network: Pointer, arena: Pointer, plain: Pointer): void;
  mlpEpoch(
    network: Pointer,
    inputs: Pointer,
    targets: Pointer,
    order: Pointer,
    rows: number,
    batch: number,
    rates: Pointer,
    weightDecay: number,
    decoupled: number,
    seed: number,
    epoch: number,
  ): number;
  mlpLoss(network: Pointer, inputs: Pointer, targets: Pointer, order: Pointer, rows: number): number;
  mlpPredict(network: Pointer, scaling: Pointer, x: Pointer, rows: number, out: Pointer, variance: Pointer): void;
  mlpSpread(members: Pointer, m: number, n: number, mean: Pointer, deviation: Pointer): void;
}

/** In the binary and in the shaders alike. */
export const ACTIVATION_CODES = { relu: 0, tanh: 1, gelu: 2 } as const;
export const LOSS_CODES = { squared_error: 0, gaussian_nll: 1, log_loss: 2 } as const;
