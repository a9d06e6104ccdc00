import type { Route } from './route.ts';

export const campaignRoutes: readonly Route[] = [];
