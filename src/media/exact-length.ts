import { Transform, type TransformCallback } from 'node:stream';

/** Passes on exactly so many bytes; a source that has fewer or more is an error, never a shorter answer that looks whole. */
export class ExactLength extends Transform {
  private passed = 0;

  constructor(private readonly bytes: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.passed += chunk.length;
    if (this.passed > this.bytes) done(new Error(`the media has more than the ${this.bytes} bytes promised`));
    else done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    if (this.passed === this.bytes) done();
    else done(new Error(`the media ended after ${this.passed} of the ${this.bytes} bytes promised`));
  }
}
