import { keyedDigest, type KeyRing } from '#protocol';
import type { AdmissionLimit } from './tokens-rpc.ts';

const windowMs = 3_600_000;

/** Volunteers that may enrol within an hour: a household or office, and a provider’s block of addresses. */
const enrolmentLimits = { perAddress: 60, perNetwork: 600 } as const;

/**
 * What an enrolment is counted against: the address and its network, IPv4 /32 and /24, IPv6 /64 and /48, both as keyed hashes.
 * @param address null where no proxy that can be believed told it; all such requests share the limit of one network.
 */
export function admissionLimits(address: string | null, keys: KeyRing): AdmissionLimit[] {
  const digest = (kind: string, text: string) => keyedDigest('tabgrid.address.v1.', `${kind} ${text}`, keys[0]);
  const networks = address === null ? null : networksOf(address);
  const perNetwork = {
    key: digest('network', networks?.wide ?? 'unknown'),
    limit: enrolmentLimits.perNetwork,
    windowMs,
  };
  if (networks === null) return [perNetwork];
  return [{ key: digest('address', networks.narrow), limit: enrolmentLimits.perAddress, windowMs }, perNetwork];
}

/** The block that one customer holds, and the wider one around it. */
export function networksOf(address: string): { narrow: string; wide: string } {
  const [ipv4] = /\d+\.\d+\.\d+\.\d+$/.exec(address) ?? [];
  if (ipv4 !== undefined) return { narrow: ipv4, wide: ipv4.split('.').slice(0, 3).join('.') };
  const groups = expandIpv6(address);
  return { narrow: groups.slice(0, 4).join(':'), wide: groups.slice(0, 3).join(':') };
}

/** The first groups of an IPv6 address, with what `::` leaves out. */
function expandIpv6(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = head.split(':').filter((group) => group !== '');
  const after = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...new Array<string>(zeros).fill('0'), ...after].map((group) => group.replace(/^0+(?=.)/, ''));
}

/**
 * Who sent the request. Cloudflare sets the header and tells its own metadata beside it; without that the header is the client’s own claim
 * and counts for nothing.
 */
export function clientAddress(request: Request): string | null {
  return request.cf === undefined ? null : request.headers.get('cf-connecting-ip');
}
