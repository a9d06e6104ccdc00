import { argumentsOfCall, faultsOfCalls, findTaskType, parseArguments, partialFaults, type TaskType } from '#catalog';
import {
  limits,
  maxFaults,
  TabgridError,
  type CanvasNode,
  type ErrorCode,
  type Fault,
  type Items,
  type Json,
  type Step,
} from '#protocol';
import { jsonBytes } from '../../lib/json-bytes.ts';
import { optionFaults } from '../../tasks/options.ts';
import { countOf, itemAt, type KnownItems } from './items.ts';
import { arrayOf, under, type ArrayNode } from './plan.ts';
import type { Sources } from './types.ts';

/** What a canvas’s schema cannot tell: names, arguments as far as they are known, and how much it is. */
interface Findings {
  readonly faults: Fault[];
  code: ErrorCode | null;
  nodes: number;
  readonly files: Map<string, string>;
}

/**
 * Looks at everything but the files.
 * @returns the files that it names, each with the place of the first mention.
 * @throws TabgridError `unknown_task`, `invalid_arguments` or `invalid_request`, with the path of each fault.
 */
export function checkCanvas(canvas: CanvasNode): ReadonlyMap<string, string> {
  const findings: Findings = { faults: [], code: null, nodes: 0, files: new Map() };
  visit(findings, canvas, '', { hasInput: false, depth: 1, labels: [] });
  const { nodes, faults } = findings;
  if (nodes > limits.maxCanvasNodes) {
    const message = `expected at most ${limits.maxCanvasNodes} parts in all, got ${nodes}`;
    throw refusal('invalid_request', [{ path: '', message }], limits.maxCanvasNodes);
  }
  if (faults.length > 0) throw refusal(findings.code ?? 'invalid_request', faults.slice(0, maxFaults));
  return findings.files;
}

/** What can be said of arrays over files once these have been read. @throws TabgridError with the path of each fault. */
export function checkSources(canvas: CanvasNode, sources: Sources): void {
  const findings: Findings = { faults: [], code: null, nodes: 0, files: new Map() };
  visit(findings, canvas, '', { hasInput: false, depth: 1, labels: [] }, sources);
  if (findings.faults.length > 0)
    throw refusal(findings.code ?? 'invalid_request', findings.faults.slice(0, maxFaults));
}

function refusal(code: ErrorCode, faults: Fault[], limit?: number): TabgridError {
  const [first = { path: '', message: '' }] = faults;
  const message = first.path === '' ? first.message : `${first.path}: ${first.message}`;
  return new TabgridError(code, message, { details: { faults, ...(limit === undefined ? {} : { limit }) } });
}

interface Place {
  /** Whether a result is put in front of its arguments. */
  readonly hasInput: boolean;
  readonly depth: number;
  readonly labels: readonly string[];
}

function add(findings: Findings, code: ErrorCode, faults: readonly Fault[]): void {
  if (faults.length === 0) return;
  findings.code ??= code;
  findings.faults.push(...faults);
}

function visit(findings: Findings, node: CanvasNode, path: string, place: Place, sources?: Sources): void {
  findings.nodes++;
  if (place.depth > limits.maxCanvasDepth) {
    const message = `expected at most ${limits.maxCanvasDepth} levels of parts within one another`;
    add(findings, 'invalid_request', [{ path, message }]);
    return;
  }
  const labels = [...new Set([...place.labels, ...(node.labels ?? [])])];
  checkLabels(findings, labels, path);
  if (node.link_error !== undefined) {
    findings.nodes++;
    checkStep(findings, node.link_error, under(path, 'link_error'), true);
    if (node.link_error.link_error !== undefined) {
      const message = 'expected none: it is what a failure leads to already';
      add(findings, 'invalid_request', [{ path: under(path, 'link_error.link_error'), message }]);
    }
  }
  const inside = { ...place, depth: place.depth + 1, labels };
  const each = (children: readonly CanvasNode[], at: string): void =>
    children.forEach((child, index) => visit(findings, child, under(path, at, index), inside, sources));
  if ('task' in node) {
    checkStep(findings, node, path, place.hasInput);
  } else if ('chain' in node) {
    node.chain.forEach((child, index) => {
      const hasInput = index > 0 || place.hasInput;
      visit(findings, child, under(path, 'chain', index), { ...inside, hasInput }, sources);
    });
  } else if ('group' in node) {
    each(node.group, 'group');
  } else if ('chord' in node) {
    each(node.chord.header, 'chord.header');
    visit(findings, node.chord.body, under(path, 'chord.body'), { ...inside, hasInput: true }, sources);
  } else {
    const { kind, spec } = arrayOf(node);
    checkLabels(findings, [...new Set([...labels, ...(spec.labels ?? [])])], under(path, kind));
    checkArray(findings, node, path, sources);
  }
}

function checkLabels(findings: Findings, labels: readonly string[], path: string): void {
  if (labels.length <= limits.maxLabels) return;
  const message = `expected at most ${limits.maxLabels} labels, those of the parts around it counted`;
  add(findings, 'invalid_request', [{ path: under(path, 'labels'), message }]);
}

function checkBytes(findings: Findings, value: unknown, path: string): void {
  const bytes = jsonBytes(value);
  if (bytes <= limits.maxArgumentsBytes) return;
  const message = `expected at most ${limits.maxArgumentsBytes} bytes, got ${bytes}; larger data travels as a file`;
  add(findings, 'body_too_large', [{ path, message }]);
}

/** A task type that may be a part of a canvas. */
function typeOf(findings: Findings, name: string, path: string): TaskType | null {
  const type = findTaskType(name);
  if (type === undefined) {
    add(findings, 'unknown_task', [{ path: under(path, 'task'), message: `no task type is called "${name}"` }]);
    return null;
  }
  if (type.internal !== true) return type;
  const message = `${type.name} is no part of a workflow; it comes with what it stands for or belongs to`;
  add(findings, 'invalid_request', [{ path: under(path, 'task'), message }]);
  return null;
}

function checkStep(findings: Findings, step: Step, path: string, hasInput: boolean): void {
  const type = typeOf(findings, step.task, path);
  add(findings, 'invalid_request', prefixed(path, optionFaults(step, type?.timeLimitMs)));
  if (type === null) return;
  const { args = [], kwargs = {} } = step;
  // Positional arguments are kept as they were submitted and under their keywords.
  checkBytes(findings, [args, args, kwargs], under(path, 'kwargs'));
  if (hasInput && step.immutable !== true) {
    add(findings, 'invalid_arguments', prefixed(path, partialFaults(type, args, kwargs, 1)));
  } else {
    add(findings, 'invalid_arguments', prefixed(path, callFaults(type, args, kwargs)));
  }
}

function checkArray(findings: Findings, node: ArrayNode, path: string, sources?: Sources): void {
  const { kind, spec, star } = arrayOf(node);
  const here = under(path, kind);
  const at = under(here, 'items');
  const { items, kwargs = {} } = spec;
  checkBytes(findings, [items, kwargs], at);
  const type = typeOf(findings, spec.task, here);
  add(findings, 'invalid_request', prefixed(here, optionFaults(spec, type?.timeLimitMs)));
  const faults = type === null ? [] : faultsOfCalls(type, { star, kwargs });
  add(findings, 'invalid_arguments', prefixed(here, faults));
  const source = sourceOf(findings, items, under(at, 'file'), sources);
  const count = source === null ? 0 : countOf(source);
  if (!(count <= limits.maxArrayItems)) {
    const message = `expected at most ${limits.maxArrayItems} items, got ${count}`;
    add(findings, 'invalid_request', [{ path: at, message }]);
    return;
  }
  if (type === null || source === null || faults.length > 0) return;
  for (const index of samples(source, count)) {
    const item = itemAt(source, index);
    const fault = item === undefined ? null : callFault(type, { star, kwargs }, item);
    if (fault === null) continue;
    const place = Array.isArray(source) ? under(at, index) : at;
    add(findings, 'invalid_arguments', [{ path: place, message: `item ${index}: ${fault}` }]);
    return;
  }
}

/** Null for a file that has not been read yet. */
function sourceOf(findings: Findings, items: Items, path: string, sources?: Sources): KnownItems | null {
  if (Array.isArray(items) || !('file' in items)) return items;
  if (!findings.files.has(items.file)) findings.files.set(items.file, path);
  return sources?.[items.file] ?? null;
}

function callFault(type: TaskType, calls: Parameters<typeof argumentsOfCall>[1], item: Json): string | null {
  try {
    argumentsOfCall(type, calls, item);
    return null;
  } catch (error) {
    if (error instanceof TabgridError) return error.message;
    throw error;
  }
}

/** The items that are looked at: of a list all, of what is described the ends, of a file the first. */
function samples(source: KnownItems, count: number): number[] {
  if (Array.isArray(source)) return source.map((_: Json, index) => index);
  return count === 0 ? [] : [0, count - 1];
}

function callFaults(type: TaskType, args: readonly Json[], kwargs: Record<string, Json>): Fault[] {
  try {
    parseArguments(type, args, kwargs);
    return [];
  } catch (error) {
    if (error instanceof TabgridError) return (error.details?.faults ?? []) as Fault[];
    throw error;
  }
}

function prefixed(path: string, faults: readonly Fault[]): Fault[] {
  return faults.map((fault) => ({ path: under(path, fault.path), message: fault.message }));
}
