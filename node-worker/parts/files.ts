import { HttpFiles } from '../../client/worker/index.ts';
import { component } from '../components/component.ts';

/** The files of each edge, kept in memory for all threads. */
export const files = component({
  name: 'files',
  start: ({ config: { edges, fileCacheBytes }, clock }) => {
    const cacheBytes = Math.floor(fileCacheBytes / edges.length);
    const stores = edges.map(({ url, token }) => new HttpFiles({ url, token: () => token, fetch, clock, cacheBytes }));
    return {
      value: (edge) => {
        const store = stores[edge];
        if (store === undefined) throw new Error(`the edge ${edge} has no files`);
        return store;
      },
    };
  },
});
