export function expand(name: string, sources: ReadonlyMap<string, string>): string;
