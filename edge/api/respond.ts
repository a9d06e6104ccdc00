/** A JSON answer, with a line feed at its end for those who read it in a terminal. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  });
}

export function text(value: string, contentType: string): Response {
  return new Response(value, { headers: { 'content-type': contentType } });
}

export function noContent(): Response {
  return new Response(null, { status: 204 });
}
