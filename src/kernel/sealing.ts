import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NAME_LENGTH = 6;

/**
 * Texts that only this deployment can read or make: AES-256-GCM, `<name of the key>.<base64url>`. `secrets` as the configuration
 * has them: the first one seals, every one opens. `purpose` keeps what was sealed for one thing from being taken for another.
 */
export class Sealing {
  private readonly keys: readonly { readonly name: string; readonly key: Buffer }[];

  constructor(secrets: readonly string[], purpose: string) {
    this.keys = secrets.map((secret) => {
      const key = Buffer.from(hkdfSync('sha256', secret, '', `tallylight ${purpose} 1`, 32));
      return { key, name: createHash('sha256').update(key).digest('base64url').slice(0, NAME_LENGTH) };
    });
  }

  seal(text: string): string {
    return this.sealWith(randomBytes(NONCE_BYTES), text);
  }

  /** The same for the same text: for what has to be told apart by who can't read it. */
  sealAlike(text: string): string {
    const { key } = this.first();
    return this.sealWith(createHmac('sha256', key).update(text).digest().subarray(0, NONCE_BYTES), text);
  }

  private sealWith(nonce: Buffer, text: string): string {
    const { key, name } = this.first();
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${name}.${sealed.toString('base64url')}`;
  }

  private first(): { readonly name: string; readonly key: Buffer } {
    const [first] = this.keys;
    if (!first) throw new Error('there is no secret to seal with');
    return first;
  }

  /** Null for what was sealed with a secret that is not there any more, for another purpose, or changed since. */
  open(text: string): string | null {
    const name = text.slice(0, NAME_LENGTH);
    const body = text.slice(NAME_LENGTH + 1);
    const key = this.keys.find((one) => one.name === name)?.key;
    const sealed = Buffer.from(body, 'base64url');
    if (key === undefined || sealed.length < NONCE_BYTES + TAG_BYTES) return null;
    // Node reads over what is no base64: one text, one seal.
    if (`${name}.${sealed.toString('base64url')}` !== text) return null;
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      const opened = Buffer.concat([
        decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)),
        decipher.final(),
      ]);
      return opened.toString('utf8');
    } catch (error) {
      // The tag does not fit: somebody else made it, or changed it.
      if (String(error).includes('unable to authenticate')) return null;
      throw error;
    }
  }
}
