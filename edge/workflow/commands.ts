import type { Json } from '#protocol';
import type { NewTask } from '../broker/rpc.ts';
import { jsonBytes } from '../lib/json-bytes.ts';
import type { PlannedTask, WorkflowCommand, WorkflowCore, WorkflowEvent } from './core/types.ts';
import { inputOf, resultOf } from './core/values.ts';
import { BrokerMessages, refusalOf } from './messages.ts';
import type { Stored, WorkflowStore } from './store.ts';

/** Arguments that are held in memory before they become messages. */
const maxInputBytes = 4_000_000;

/** Carries out what transitions ask for, inside their transaction. Tasks are gathered, so that those of one commit share messages. */
export class Commands {
  readonly #storeOf: () => WorkflowStore;
  readonly #messagesOf: (stored: Stored) => BrokerMessages;
  #tasks: NewTask[] = [];
  #inputBytes = 0;

  constructor(storeOf: () => WorkflowStore, messagesOf: (stored: Stored) => BrokerMessages) {
    this.#storeOf = storeOf;
    this.#messagesOf = messagesOf;
  }

  /**
   * @param stored the workflow as the commands leave it.
   * @param result the JSON that the event has brought.
   * @returns what becomes of the parts whose tasks do not take their arguments.
   */
  carryOut(
    stored: Stored,
    commands: readonly WorkflowCommand[],
    { result = '', nowMs }: { result?: string; nowMs: number },
  ): WorkflowEvent[] {
    const messages = this.#messagesOf(stored);
    const refused: WorkflowEvent[] = [];
    for (const command of commands) {
      switch (command.type) {
        case 'keep':
          this.#storeOf().keep(command.node, command.part, result);
          break;
        case 'submit': {
          const refusal = this.#submit(stored, messages, command.task, nowMs);
          if (refusal !== null) refused.push(refusal);
          break;
        }
        case 'revoke':
          this.send(stored);
          messages.revoke(command.taskIds, command.terminate);
          break;
        case 'event':
          messages.event(command.event, command.data, nowMs);
          break;
        case 'finish': {
          const { outcome } = command;
          messages.finish(
            outcome.type === 'success' ? { type: 'success', result: this.valueOf(stored.core, 0) } : outcome,
          );
        }
      }
    }
    return refused;
  }

  /** Submits what was gathered. */
  send(stored: Stored): void {
    const tasks = this.#tasks;
    this.forget();
    if (tasks.length > 0) this.#messagesOf(stored).submit(tasks);
  }

  forget(): void {
    this.#tasks = [];
    this.#inputBytes = 0;
  }

  /** The result of a node; a large one is named by its file. */
  valueOf(core: WorkflowCore, node: number): Json {
    const store = this.#storeOf();
    return JSON.parse([...resultOf(core, node, (id, part) => store.read(id, part))].join('')) as Json;
  }

  #submit(stored: Stored, messages: BrokerMessages, task: PlannedTask, nowMs: number): WorkflowEvent | null {
    try {
      const input = inputOf(stored.core, task, (node) => this.valueOf(stored.core, node));
      this.#tasks.push(messages.prepare(task, input, nowMs));
      this.#inputBytes += jsonBytes(input ?? null);
      // A large result may go to a thousand steps.
      if (this.#inputBytes > maxInputBytes) this.send(stored);
      return null;
    } catch (error) {
      const { code, message } = refusalOf(error);
      return { type: 'refused', ref: task.ref, code, message };
    }
  }
}
