/** Bits in the order of a bit stream, the first one the highest of its byte. */
export class Bits {
  private bytes = Buffer.alloc(1_024);
  private length = 0;
  private current = 0;
  private filled = 0;

  /** The lowest `count` bits of `value`, at most 32. */
  put(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit -= 1) {
      this.current = (this.current << 1) | ((value >>> bit) & 1);
      this.filled += 1;
      if (this.filled === 8) this.flush();
    }
    return this;
  }

  /** An Exp-Golomb code, `ue(v)` (H.264, 9.1). */
  ue(value: number): this {
    const length = 32 - Math.clz32(value + 1);
    return this.put(0, length - 1).put(value + 1, length);
  }

  /** `se(0)` is the only signed one that is ever needed here. */
  seZero(): this {
    return this.put(1, 1);
  }

  /** Zeros up to the next byte. */
  align(): this {
    while (this.filled !== 0) this.put(0, 1);
    return this;
  }

  /** Whole bytes, where a byte begins. */
  putBytes(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** `rbsp_trailing_bits`: a one, and zeros up to the next byte. */
  end(): Buffer {
    this.put(1, 1).align();
    return this.bytes.subarray(0, this.length);
  }

  private flush(): void {
    this.reserve(1);
    this.bytes[this.length] = this.current & 0xff;
    this.length += 1;
    this.current = 0;
    this.filled = 0;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = Buffer.alloc(2 * (this.length + count));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
