import { type Json, type Outcome } from '#protocol';
import { log } from '../lib/log.ts';
import { finishQueued, move } from './attempts.ts';
import type { Core } from './core.ts';
import { boundedProgress } from './reports.ts';
import { revoke } from './revoke.ts';
import type { ToBroker } from './rpc.ts';
import { revokedError } from './settle.ts';
import { insertNew } from './submit.ts';
import type { TaskRecord } from './task-record.ts';

/**
 * Applies a message from another object’s outbox. It never refuses: what makes no sense (any more) changes nothing, since the sender
 * would repeat it for ever.
 */
export function applyMessage(core: Core, body: Json): void {
  const message = body as unknown as ToBroker;
  switch (message.type) {
    case 'submit':
      insertNew(core, message.tasks);
      break;
    case 'revoke':
      for (const record of core.tasks.load(message.task_ids)) revoke(core, record, message.terminate ?? true);
      break;
    case 'finish':
      finishHeld(core, core.tasks.get(message.task_id), message.outcome);
      break;
    case 'progress': {
      const record = core.tasks.get(message.task_id);
      if (record?.spec.held !== true || record.finishedMs !== null) break;
      record.progress = boundedProgress(message.progress);
      core.tasks.save(record);
      core.progressed.set(record.id, record.progress);
      core.writeSoon();
      break;
    }
    case 'events':
      for (const item of message.items) core.events.add({ ...item, owner: message.owner });
      break;
    default:
      log('error', 'unknown-message', { type: (message as { type: unknown }).type });
  }
}

function finishHeld(core: Core, record: TaskRecord | undefined, said: Outcome): void {
  if (record?.spec.held !== true || record.finishedMs !== null) return;
  switch (said.type) {
    case 'success':
      move(core, record, undefined, 'succeed');
      finishQueued(core, record, { result: said.result });
      break;
    case 'failure':
      move(core, record, undefined, 'fail_finally');
      finishQueued(core, record, { error: said.error });
      break;
    case 'revoked':
    case 'released':
      move(core, record, undefined, 'terminate');
      finishQueued(core, record, { error: revokedError });
  }
}
