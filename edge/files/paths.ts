import { invalidRequest, isFilePath, limits } from '#protocol';

/**
 * The file that a request’s path names. A slash or backslash that was escaped could climb out of a segment after decoding, so both are
 * refused, whatever they would lead to.
 * @param escaped the request’s path after `/v1/files`, as it came, with its leading slash.
 * @throws TabgridError `invalid_request`
 */
export function filePathOf(escaped: string): string {
  const path = /%2f|%5c/i.test(escaped) ? null : unescapePath(escaped);
  if (path === null || path.length > limits.maxPathChars || !isFilePath(path)) {
    const message = `expected a path such as /datasets/barrel.csv of at most ${limits.maxPathChars} characters, without empty, "." or ".." segments, backslashes and escaped slashes`;
    throw invalidRequest({ path: 'path', message });
  }
  return path;
}

function unescapePath(escaped: string): string | null {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return null;
  }
}
