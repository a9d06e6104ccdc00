const needsQuotes = /[",\r\n]|^\s|\s$/;

function field(value: string | number | null): string {
  if (value === null) return '';
  const text = String(value);
  return needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Writes a table as RFC 4180 describes it, with CRLF. Numbers are written as ECMAScript does, so that reading gives the same bits; null becomes
 * an empty field.
 */
export function writeCsv(header: readonly string[], rows: Iterable<readonly (string | number | null)[]>): string {
  let text = `${header.map(field).join(',')}\r\n`;
  for (const row of rows) text += `${row.map(field).join(',')}\r\n`;
  return text;
}
