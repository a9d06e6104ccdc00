import { GP_LIMITS, GpTrainer, parseGpModel, type GpModel } from '#kernels/gp';
import type { TaskContext } from '../body.ts';
import { invalidInput } from '../faults.ts';
import { inputStatistics, type TrainingSet } from '../models/data.ts';
import { gpPredictor } from '../models/gp.ts';
import type { KwargsOf } from '../models/model-file.ts';
import { trainInTurn } from './in-turn.ts';
import type { Trained } from './trained.ts';

/**
 * A Gaussian process for each target; a step is one iteration of the climb to the greatest likelihood.
 *
 * @throws TabgridError `invalid_input` when there are more rows than it learns from.
 */
export async function trainGp(context: TaskContext, kwargs: KwargsOf<'gp'>, training: TrainingSet): Promise<Trained> {
  if (training.rows > GP_LIMITS.rows) {
    throw invalidInput('kind', `gp learns from at most ${GP_LIMITS.rows} rows, and there are ${training.rows}`);
  }
  const { covariance, prior, n_restarts_optimizer, validation_fraction, seed } = kwargs;
  const options = { covariance, prior, starts: 1 + n_restarts_optimizer, seed };
  const [process] = await trainInTurn<GpModel, GpTrainer>(context, {
    count: 1,
    begin: () => GpTrainer.create(context.kernels, training, options),
    resume: (_, snapshot) => GpTrainer.resume(context.kernels, training, snapshot),
    parse: parseGpModel,
    step(trainer) {
      const { output, start, iteration, logMarginalLikelihood } = trainer.step();
      const { done, total } = trainer.climbs;
      return {
        fraction: done / total,
        message: `target ${output + 1} of ${training.outputs}, start ${start + 1} of ${options.starts}, iteration ${iteration}`,
        log_marginal_likelihood: logMarginalLikelihood,
      };
    },
  });
  if (process === undefined) throw new Error('trainInTurn gives as many models as it was asked for');
  const inputs = inputStatistics(training);
  return {
    content: { kind: 'gp', inputs, process },
    predictor: gpPredictor(context.kernels, process, inputs),
    record: { covariance, prior, n_restarts_optimizer, validation_fraction, seed },
    members: 1,
    epochsRun: [],
    trainLoss: null,
  };
}
