/**
 * A name for this tab, `tab-` and ten letters: enough that no two meet. Made anew with each load of the page, because a duplicated tab
 * copies what its session storage holds, and two workers must never share a name.
 */
export function randomName(): string {
  const letters = 'abcdefghjkmnpqrstvwxyz0123456789';
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return `tab-${[...bytes].map((byte) => letters.charAt(byte % 32)).join('')}`;
}
