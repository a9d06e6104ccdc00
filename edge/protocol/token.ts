import { z } from 'zod';

/** What a bearer of a token may do. */
export const scopes = [
  /** Submit tasks, workflows, campaigns and files, and revoke one’s own. */
  'submit',
  /** Read one’s own tasks, campaigns, files and events. */
  'read',
  /** Pull any task as a trusted worker, and read and write the files that tasks name. */
  'work',
  /** Pull verifiable tasks as a stranger. */
  'volunteer',
  /** Everything, for everyone’s things. */
  'admin',
] as const;

export type Scope = (typeof scopes)[number];

/** The signed part of a token. `sub` owns what it submits. */
export const claimsSchema = z.strictObject({
  sub: z.string().min(1).max(128),
  scope: z.array(z.enum(scopes)).min(1),
  /** Seconds since 1970 at which it stops to count. */
  exp: z.number().int(),
  /** Its own id, by which it can be revoked. */
  jti: z.string().min(1).max(64),
  /** Which key signed it, so that keys can be rotated. */
  kid: z.string().min(1).max(32),
});

export type Claims = z.infer<typeof claimsSchema>;

/** Who is asking, as the API tells the objects behind it. */
export interface Principal {
  sub: string;
  scope: readonly Scope[];
}

export function isAdmin(principal: Principal): boolean {
  return principal.scope.includes('admin');
}

/** What is somebody’s is theirs, and administrators’, to see and to change; for others it does not exist. */
export function owns(principal: Principal, owner: string): boolean {
  return owner === principal.sub || isAdmin(principal);
}
