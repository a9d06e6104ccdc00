import { component } from '../components/component.ts';
import { Evaluators } from '../evaluators/evaluators.ts';

/** The named evaluators: those of `--evaluator`, and those that components have added. */
export const evaluators = component({
  name: 'evaluators',
  start: ({ config, evaluators: added }) => ({
    value: new Evaluators({
      declarations: added.take(),
      extraEnvironment: config.evaluatorEnvironment,
      killAfterMs: config.evaluatorKillAfterMs,
    }),
  }),
});
