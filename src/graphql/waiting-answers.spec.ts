import { WaitingAnswers } from './waiting-answers.js';

describe('answers that wait for their readers', () => {
  const cut: string[] = [];
  const reader = (name: string) => ({ cut: () => void cut.push(name) });
  const [a, b, c] = [reader('a'), reader('b'), reader('c')];
  let waiting: WaitingAnswers;
  beforeEach(() => {
    cut.length = 0;
    waiting = new WaitingAnswers();
    waiting.most = 100;
  });

  it('are counted until they are taken', () => {
    waiting.add(a, 30);
    waiting.add(b, 50);
    waiting.add(a, 10);
    expect(waiting.bytes).toBe(90);
    waiting.taken(a, 30);
    waiting.taken(b, 50);
    expect([waiting.bytes, cut]).toEqual([10, []]);
  });

  it('cost who has been waited for longest its connection, as many as make room', () => {
    waiting.add(a, 40);
    waiting.add(b, 40);
    waiting.add(c, 20);
    // It took all of it, and is waited for only since now.
    waiting.taken(a, 40);
    waiting.add(a, 90);
    expect([cut, waiting.bytes]).toEqual([['b', 'c'], 90]);
    // What comes of those that are gone changes nothing.
    waiting.taken(b, 40);
    waiting.add(b, 10);
    expect([cut, waiting.bytes]).toEqual([['b', 'c'], 100]);
  });

  it('leave a single reader alone, who may ask for so much at once', () => {
    waiting.add(a, 150);
    expect([cut, waiting.bytes]).toEqual([[], 150]);
    waiting.add(b, 1);
    expect([cut, waiting.bytes]).toEqual([['a'], 1]);
  });
});
