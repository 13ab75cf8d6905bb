import type { LookupAddress } from 'node:dns';
import { assertOuterHost, guardedLookup, isPublicAddress, type Lookup } from './address-guard.js';

describe('an address that a webhook may go to', () => {
  it.each([
    ...['127.0.0.1', '127.8.8.8', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '100.100.100.200', '224.0.0.1', '255.255.255.255', '192.0.0.1'],
    ...['198.18.0.1', '240.0.0.1', '::', '::1', 'fe80::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1'],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::ffff:10.0.0.1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      '2001::1',
    ],
    ...['::127.0.0.1', 'fec0::1', 'not an address', ''],
  ])('is not %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['1.1.1.1', '8.8.8.8', '93.184.216.34', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    'is %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'printer.local', 'metadata.google.internal'],
    ...['redis', '[::1]', '[::ffff:7f00:1]', new URL('http://2130706433/').hostname],
    ...[new URL('http://0x7f.1/').hostname, new URL('http://0177.0.0.1/').hostname],
  ])('is not that of the host %s', (host) => {
    expect(() => assertOuterHost(host)).toThrow('public ones alone');
  });

  it.each(['example.com', 'hooks.example.com.', '[2606:4700:4700::1111]', '1.1.1.1'])(
    'may be that of %s',
    (host) => {
      expect(() => assertOuterHost(host)).not.toThrow();
    },
  );
});

describe('resolving for a connection', () => {
  const resolving =
    (...addresses: LookupAddress[]): Lookup =>
    (_hostname, _options, answer) =>
      answer(null, addresses);
  const outer = { address: '1.1.1.1', family: 4 };
  const resolved = (lookup: Lookup, all: boolean): Promise<unknown> =>
    new Promise((resolve, reject) => {
      guardedLookup(lookup)('a.example.com', { all }, (error, address) =>
        error ? reject(error) : resolve(address),
      );
    });

  it('gives what is public', async () => {
    await expect(resolved(resolving(outer), false)).resolves.toBe('1.1.1.1');
    await expect(resolved(resolving(outer), true)).resolves.toEqual([outer]);
  });

  it.each(['127.0.0.1', '169.254.169.254', '10.1.2.3'])(
    'refuses a name as soon as it also means %s',
    async (address) => {
      const lookup = resolving(outer, { address, family: 4 });
      await expect(resolved(lookup, false)).rejects.toThrow(address);
      await expect(resolved(lookup, true)).rejects.toThrow(address);
    },
  );
});
