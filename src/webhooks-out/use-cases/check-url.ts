import { lookup } from 'node:dns/promises';
import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock, awaitWithin } from '../../kernel/clock.js';
import { badInput, TallyError } from '../../kernel/errors.js';
import { parseUrl } from '../../kernel/url.js';
import { AddressRefused, assertOuterHost, isPublicAddress } from '../deliver/address-guard.js';

const LONGEST_URL = 2_048;
const LOOK_UP_MS = 2_000;

/** Looks at an address before it is stored; it is looked at again at each connection. */
@Injectable()
export class CheckUrl {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** The address as it is stored. Throws BAD_USER_INPUT for what is no http(s) address, WEBHOOK_URL_REFUSED. */
  async execute(text: string): Promise<string> {
    const url = parseUrl(text);
    if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
      throw badInput('input.url', 'must be an address that starts with https:// or http://');
    if (text.length > LONGEST_URL) throw badInput('input.url', `has more than ${LONGEST_URL} characters`);
    if (url.username !== '' || url.password !== '')
      throw refused('has a name or a password in it; what is sent is signed, check the signature instead');
    url.hash = '';
    if (!this.config.webhookAllowPrivate) await this.assertOuter(url.hostname);
    return url.href;
  }

  private async assertOuter(hostname: string): Promise<void> {
    try {
      assertOuterHost(hostname);
    } catch (error) {
      if (error instanceof AddressRefused)
        throw refused(`${error.message}, unless WEBHOOK_ALLOW_PRIVATE=true`);
      throw error;
    }
    const inner = (await this.addressesOf(hostname)).find((address) => !isPublicAddress(address));
    if (inner === undefined) return;
    throw refused(
      `${new AddressRefused(`${hostname} (${inner})`).message}, unless WEBHOOK_ALLOW_PRIVATE=true`,
    );
  }

  /** None where the name can't be resolved now: it may be tomorrow, and is looked at again then. */
  private async addressesOf(hostname: string): Promise<string[]> {
    const found = lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).then(
      (all) => all.map(({ address }) => address),
      () => [],
    );
    return await awaitWithin(this.clock, LOOK_UP_MS, found, () => []);
  }
}

function refused(why: string): TallyError {
  return new TallyError('WEBHOOK_URL_REFUSED', `this address is refused: ${why}`, { field: 'input.url' });
}
