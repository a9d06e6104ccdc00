import {
  campaignIdSchema,
  eventTypes,
  invalidRequest,
  limits,
  taskIdSchema,
  workflowIdSchema,
  type EventType,
} from '#protocol';
import type { EventQuery } from './events.ts';

/** The query of `GET /v1/events`. @throws TabgridError `invalid_request` naming the parameter. */
export function parseEventQuery(address: URLSearchParams): {
  query: EventQuery;
  after: number | null;
  position: boolean;
} {
  const text = (name: string): string | undefined => address.get(name) ?? undefined;
  const id = <Id>(name: string, isId: (value: string) => boolean, what: string): Id | undefined => {
    const value = text(name);
    if (value === undefined || isId(value)) return value as Id | undefined;
    throw invalidRequest({ path: name, message: `expected ${what}` });
  };
  const isName = (value: string): boolean => value.length <= limits.maxNameChars;
  const given = {
    task_id: id('task_id', (value) => taskIdSchema.safeParse(value).success, 'a task id'),
    campaign_id: id('campaign_id', (value) => campaignIdSchema.safeParse(value).success, 'a campaign id'),
    workflow_id: id('workflow_id', (value) => workflowIdSchema.safeParse(value).success, 'a workflow id'),
    worker: id('worker', isName, 'a worker id'),
    queue: id('queue', isName, 'a queue'),
    label: id('label', isName, 'a label'),
    types: typesOf(text('types')),
  };
  const after = text('after');
  if (after !== undefined && !/^\d{1,15}$/.test(after))
    throw invalidRequest({ path: 'after', message: 'expected a sequence number' });
  const query = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { query, after: after === undefined ? null : Number(after), position: text('position') === 'true' };
}

function typesOf(text: string | undefined): EventType[] | undefined {
  const types = text?.split(',').filter(Boolean);
  const unknown = types?.find((type) => !eventTypes.includes(type as EventType));
  if (unknown !== undefined) {
    throw invalidRequest({ path: 'types', message: `no event has the type "${unknown.slice(0, 64)}"` });
  }
  return types as EventType[] | undefined;
}
