/** One rule of a `_headers` file: what it adds to, and takes from, the responses of paths that fit. */
export interface HeaderRule {
  readonly pattern: RegExp;
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly unset: readonly string[];
}

/**
 * Reads a `_headers` file as Cloudflare does (developers.cloudflare.com/workers/static-assets/headers): a line at the margin is a path, in
 * which `*` stands for anything and `:name` for one segment; indented lines under it are `Name: value`, or `! Name` to remove one.
 */
export function parseHeadersFile(text: string): HeaderRule[] {
  const rules: { pattern: RegExp; set: [string, string][]; unset: string[] }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    if (!/^\s/.test(line)) {
      rules.push({ pattern: pathPattern(content), set: [], unset: [] });
      continue;
    }
    const rule = rules.at(-1);
    const colon = content.indexOf(':');
    if (rule === undefined) continue;
    if (content.startsWith('!')) rule.unset.push(content.slice(1).trim());
    else if (colon > 0) rule.set.push([content.slice(0, colon).trim(), content.slice(colon + 1).trim()]);
  }
  return rules;
}

/** Applies every rule that fits, in order; a header that two rules set holds both values. */
export function applyHeaderRules(rules: readonly HeaderRule[], path: string, headers: Headers): void {
  const touched = new Set<string>();
  for (const rule of rules) {
    if (!rule.pattern.test(path)) continue;
    for (const name of rule.unset) headers.delete(name);
    for (const [name, value] of rule.set) {
      const key = name.toLowerCase();
      if (touched.has(key)) headers.append(name, value);
      else headers.set(name, value);
      touched.add(key);
    }
  }
}

function pathPattern(path: string): RegExp {
  const source = path
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/:[A-Za-z]\w*/g, '[^/]+');
  return new RegExp(`^${source}$`);
}
