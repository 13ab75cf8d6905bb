import { lookup as lookUp, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Names that mean this machine or network, whatever they resolve to. */
const INNER_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|localdomain)$/i;

/** Thrown where an address is none that a webhook may go to; the message names it. */
export class AddressRefused extends Error {
  constructor(where: string) {
    super(`${where} is a private, loopback or link-local address; webhooks go to public ones alone`);
    this.name = 'AddressRefused';
  }
}

/** Whether a packet to this address leaves for the internet: no private, loopback, link-local, shared, reserved or translated one does. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // An IPv4 address inside of an IPv6 one is judged as what it is.
  return ipaddr.process(address).range() === 'unicast';
}

/** Throws AddressRefused for a host that is an inner address, or an inner name, by itself. */
export function assertOuterHost(hostname: string): void {
  const bare = hostname.replace(/^\[|\]$/g, '');
  // The name of the root, at the end, is no name.
  const host = bare.split('.').filter(Boolean).join('.');
  if (isIP(host) !== 0) {
    if (!isPublicAddress(host)) throw new AddressRefused(host);
    return;
  }
  if (INNER_NAMES.test(host) || !host.includes('.')) throw new AddressRefused(host);
}

type Answer = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;
export type Lookup = (hostname: string, options: LookupOptions, answer: Answer) => void;

/**
 * Resolves for a connection, and lets none through that is not public: what is connected to is what was looked at, so a name
 * that resolves otherwise at the second look gains nothing.
 */
export function guardedLookup(resolve: Lookup = lookUp as Lookup): Lookup {
  return (hostname, options, answer) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return answer(error, []);
      const addresses = found as LookupAddress[];
      const inner = addresses.find(({ address }) => !isPublicAddress(address));
      if (inner !== undefined) return answer(new AddressRefused(`${hostname} (${inner.address})`), []);
      const [first] = addresses;
      if (first === undefined) return answer(new Error(`${hostname} has no address`), []);
      return options.all === true ? answer(null, addresses) : answer(null, first.address, first.family);
    });
  };
}
