/** A file’s description, as lists and `PUT` answer. `sha256` is the ETag. */
export interface FileView {
  path: string;
  sha256: string;
  bytes: number;
  content_type: string;
  owner: string;
  created_at: string;
}
