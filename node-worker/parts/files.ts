import { HttpFiles } from '../../client/worker/index.ts';
import { component } from '../components/component.ts';

/** The edge’s files, kept in memory for all threads. */
export const files = component({
  name: 'files',
  start: ({ config: { url, token, fileCacheBytes: cacheBytes }, clock }) => ({
    value: new HttpFiles({ url, token: () => token, fetch, clock, cacheBytes }),
  }),
});
