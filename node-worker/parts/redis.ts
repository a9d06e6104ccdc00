import { component } from '../components/component.ts';
import { LeaseClient } from '../leases.ts';
import { RedisGroup } from '../redis/group.ts';

/** Membership in the group of workers that share a Redis. */
export const redis = component({
  name: 'redis',
  requires: ['evaluators', 'evaluation'],
  // Evaluations that Redis keeps may take hours, and are finished unless somebody is in a hurry.
  stopWithinMs: null,
  start: async (worker, { evaluators, evaluation }) => {
    const { config, log } = worker;
    const [edge] = config.edges;
    if (config.redis === null || edge === undefined) return { value: null };
    const group = await RedisGroup.join({
      url: config.redis,
      prefix: config.redisPrefix,
      member: worker.workerId,
      evaluators: evaluators.names,
      evaluation,
      leases: new LeaseClient({ ...edge, fetch }),
      clock: worker.clock,
      concurrency: config.concurrency,
      maxWaiting: config.maxWaitingCandidates,
      heartbeatMs: config.evaluationHeartbeatMs,
      claimAfterMs: config.evaluationClaimAfterMs,
      progressMs: config.evaluationProgressMs,
      log,
    });
    worker.onEvent((event) => {
      if (event.type !== 'phase') return;
      if (event.phase === 'working') group.edgeIsBack();
      // Hours of work are not thrown away because a token has expired.
      if (event.error)
        log(`The edge refuses this worker (${event.error.message}); evaluations under way are finished.`);
    });
    return {
      value: group,
      takeNoMore: () => group.takeNoMore(),
      stop: async (hurry) => {
        await group.drain(hurry);
        await group.leave();
      },
    };
  },
});
