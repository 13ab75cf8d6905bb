import crypto from 'node:crypto';
import type { Dice } from './dice.js';

/** Makes every id of the product come from the seed, for as long as `work` runs: it takes them from the platform's crypto. */
export async function withSeededIds<T>(dice: Dice, work: () => Promise<T>): Promise<T> {
  const bytes = (view: Uint8Array): Uint8Array => {
    for (let i = 0; i < view.length; i += 1) view[i] = dice.int(0, 255);
    return view;
  };
  const web = globalThis.crypto;
  const own = Object.getOwnPropertyDescriptor(web, 'getRandomValues');
  const { randomUUID, randomBytes } = crypto;
  let made = 0;
  Object.defineProperty(web, 'getRandomValues', { configurable: true, writable: true, value: bytes });
  Object.assign(crypto, {
    randomUUID: () => `${dice.int(0, 0xffffff).toString(16)}-${(made += 1)}`,
    randomBytes: (size: number) => Buffer.from(bytes(new Uint8Array(size))),
  });
  try {
    return await work();
  } finally {
    Object.assign(crypto, { randomUUID, randomBytes });
    if (own) Object.defineProperty(web, 'getRandomValues', own);
    else Reflect.deleteProperty(web, 'getRandomValues');
  }
}
