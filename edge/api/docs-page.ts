import type { Reference } from './openapi.ts';

/** The reference as one page: no scripts, nothing from elsewhere, one style that the policy admits by its hash. */

const style = `
:root { color-scheme: light dark; --line: light-dark(#d8dce2, #343a44); --soft: light-dark(#f4f6f8, #1b1f26); --dim: light-dark(#5b6470, #9aa4b2);
  --accent: light-dark(#0b57d0, #8ab4f8); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 6rem; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#fff, #14171c);
  color: light-dark(#1c2128, #e4e8ee); }
h1 { margin: 0; } h2 { margin: 2.5rem 0 .25rem; text-transform: capitalize; }
p { margin: .25rem 0 1rem; } .dim { color: var(--dim); }
code, pre { font: .875em/1.5 ui-monospace, monospace; } pre { margin: .5rem 0; padding: .75rem; overflow-x: auto; background: var(--soft); border-radius: .375rem; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .625rem .875rem; display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); gap: .25rem .75rem; align-items: baseline; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: .5rem; }
summary b { color: var(--accent); font: 600 .8125rem ui-monospace, monospace; }
summary code { overflow-wrap: anywhere; } summary span { grid-column: 2; color: var(--dim); font-size: .9375rem; }
details > div { padding: 0 .875rem .75rem; border-top: 1px solid var(--line); } h3 { margin: 1rem 0 .25rem; font-size: .875rem; color: var(--dim); }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; } td { padding: .25rem .75rem .25rem 0; vertical-align: top; }
td:first-child { white-space: nowrap; } a { color: var(--accent); }
details details { border: 0; margin: 0; } details details summary { display: list-item; margin-left: 1rem; padding: .25rem 0; } details details > div { border: 0; padding: 0; }
`;

export async function docsPage(reference: Reference): Promise<Response> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return new Response(pageHtml(reference), {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    },
  });
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly spec: OperationSpec;
}

/** The part of an operation that the page shows. */
interface OperationSpec {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: { in: string; name: string; schema?: unknown; description?: string }[];
  requestBody?: { required?: boolean; content: Record<string, { schema?: unknown }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>;
}

function operationsOf(reference: Reference): Operation[] {
  return Object.entries(reference.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, spec]) => ({
      method: method.toUpperCase(),
      path,
      spec: spec as OperationSpec,
    })),
  );
}

function pageHtml(reference: Reference): string {
  const operations = operationsOf(reference);
  const sections = reference.tags.map(({ name, description = '' }) => {
    const own = operations.filter(({ spec }) => spec.tags?.includes(name));
    return `<h2 id="${name}">${escapeHtml(name)}</h2><p class="dim">${escapeHtml(description)}</p>${own.map(operationHtml).join('')}`;
  });
  const schemas = Object.entries(reference.components.schemas ?? {}).map(
    ([name, schema]) =>
      `<details><summary><b>schema</b><code>${name}</code></summary><div id="schema-${name}">${jsonHtml(schema)}</div></details>`,
  );
  const contents = [...reference.tags.map(({ name }) => name), 'schemas'].map(
    (name) => `<a href="#${name}">${name}</a>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${reference.info.title} API</title>
<style>${style}</style>
<h1>${reference.info.title} API</h1>
<p>${markdownHtml(reference.info.description)} <a href="/openapi.json">OpenAPI 3.1</a></p>
<p>${contents.join(' · ')}</p>
${sections.join('\n')}
<h2 id="schemas">Schemas</h2>
${schemas.join('\n')}
</html>
`;
}

function operationHtml({ method, path, spec }: Operation): string {
  const parameters = (spec.parameters ?? []).filter((parameter) => parameter.in !== 'path');
  const parts = [
    `<p>${markdownHtml(spec.description ?? '')}</p>`,
    parameters.length === 0 ? '' : `<h3>Parameters</h3><table>${parameters.map(parameterHtml).join('')}</table>`,
    ...Object.entries(spec.requestBody?.content ?? {}).map(
      ([media, { schema }]) =>
        `<h3>Body${spec.requestBody?.required === true ? '' : ', optional'}</h3><details><summary><code>${escapeHtml(media)}</code></summary><div>${jsonHtml(schema)}</div></details>`,
    ),
    `<h3>Answers</h3><table>${Object.entries(spec.responses ?? {})
      .map(answerHtml)
      .join('')}</table>`,
  ];
  return `<details><summary><b>${method}</b><code>${escapeHtml(path)}</code><span>${markdownHtml(spec.summary ?? '')}</span></summary><div>${parts.join('')}</div></details>`;
}

function parameterHtml(parameter: NonNullable<OperationSpec['parameters']>[number]): string {
  const where = parameter.in === 'query' ? '' : ` <span class="dim">${parameter.in}</span>`;
  return `<tr><td><code>${escapeHtml(parameter.name)}</code>${where}<td>${markdownHtml(parameter.description ?? '')} <code>${escapeHtml(briefly(parameter.schema))}</code>`;
}

/** A parameter’s type in a few words. */
function briefly(schema: unknown): string {
  const { type, enum: values, minimum, maximum } = (schema ?? {}) as ParameterSchema;
  if (values !== undefined) return values.join(' | ');
  const range = minimum === undefined && maximum === undefined ? '' : ` ${minimum ?? ''}…${maximum ?? ''}`;
  return `${type ?? 'string'}${range}`;
}

interface ParameterSchema {
  type?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
}

function answerHtml([status, { description = '', content = {} }]: [
  string,
  NonNullable<OperationSpec['responses']>[string],
]): string {
  const names = Object.values(content).flatMap(({ schema }) => {
    const { $ref } = (schema ?? {}) as { $ref?: string };
    const name = $ref?.split('/').pop();
    return name === undefined || name === 'Error' ? [] : [`<a href="#schema-${name}">${name}</a>`];
  });
  return `<tr><td><code>${status}</code><td>${markdownHtml(description)} ${names.join(' ')}`;
}

function jsonHtml(value: unknown): string {
  return `<pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre>`;
}

/** The only Markdown that descriptions use: code. */
function markdownHtml(text: string): string {
  return escapeHtml(text).replace(/`([^`]*)`/g, '<code>$1</code>');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
