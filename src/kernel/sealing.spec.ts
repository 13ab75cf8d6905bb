import { Sealing } from './sealing.js';

describe('sealing', () => {
  it('opens what it sealed, also with a secret that is being changed', () => {
    const sealed = new Sealing(['old'], 'a').seal('whsec_ü');
    expect(new Sealing(['new', 'old'], 'a').open(sealed)).toBe('whsec_ü');
    expect(new Sealing(['old'], 'a').seal('whsec_ü')).not.toBe(sealed);
  });

  it.each([
    ['another secret', new Sealing(['new'], 'a')],
    ['another purpose', new Sealing(['old'], 'b')],
  ])('with %s it opens nothing', (_, other) => {
    expect(other.open(new Sealing(['old'], 'a').seal('x'))).toBeNull();
  });

  it('can make one seal of one text, and never the same of another', () => {
    const sealing = new Sealing(['new', 'old'], 'a');
    expect(sealing.sealAlike('x')).toBe(sealing.sealAlike('x'));
    expect(sealing.sealAlike('x')).not.toBe(sealing.sealAlike('y'));
    expect(sealing.open(sealing.sealAlike('x'))).toBe('x');
  });

  it('opens nothing that something was added to', () => {
    const sealing = new Sealing(['old'], 'a');
    const sealed = sealing.seal('x');
    for (const more of ['=', '!', '.', ' ', '.a']) expect(sealing.open(`${sealed}${more}`)).toBeNull();
    expect(sealing.open(sealed.replace('.', '-'))).toBeNull();
  });

  it('opens nothing that was changed or made up', () => {
    const sealing = new Sealing(['old'], 'a');
    const sealed = sealing.seal('some text that is long enough');
    for (let at = 0; at < sealed.length - 1; at += 1) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
      expect(sealing.open(changed)).toBeNull();
    }
    for (const text of ['', '.', 'a.b', sealed.slice(0, -1)]) expect(sealing.open(text)).toBeNull();
  });
});
