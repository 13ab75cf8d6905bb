import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';
import { parseRoomId, type RoomId } from '../../kernel/ids.js';
import { LiveRooms } from './live-rooms.js';

const id = (text: string): RoomId => parseRoomId(text) as RoomId;

describe('what LiveKit says of rooms', () => {
  let simulated: SimulatedLiveKit;
  let questions: string[];
  let rooms: LiveRooms;

  beforeEach(() => {
    simulated = new SimulatedLiveKit();
    simulated.engine.openRoom('a');
    simulated.engine.openRoom('b');
    questions = [];
    const { livekit } = simulated;
    const [findRoom, listRooms] = [livekit.findRoom.bind(livekit), livekit.listRooms.bind(livekit)];
    Object.assign(livekit, {
      findRoom: (name: string) => (questions.push(name), findRoom(name)),
      listRooms: () => (questions.push('all'), listRooms()),
    });
    rooms = new LiveRooms(livekit);
  });

  it('is one question for a whole page of rooms, and each room gets its own answer', async () => {
    const names = ['a', 'nowhere', 'b', 'a'];
    const found = await simulated.answer(Promise.all(names.map((name) => rooms.find(id(name)))));
    expect(found.map((room) => room?.name ?? null)).toEqual(['a', null, 'b', 'a']);
    expect(questions).toEqual(['all']);
  });

  it('is asked for one room alone where only that one is wanted', async () => {
    const found = await simulated.answer(Promise.all([rooms.find(id('a')), rooms.find(id('a'))]));
    expect(found.map((room) => room?.name)).toEqual(['a', 'a']);
    expect(questions).toEqual(['a']);
  });

  it('is asked anew the next time', async () => {
    expect(await simulated.answer(rooms.find(id('c')))).toBeNull();
    simulated.engine.openRoom('c');
    expect((await simulated.answer(rooms.find(id('c'))))?.name).toBe('c');
  });

  it('is an error for every room while LiveKit does not answer, never a closed room', async () => {
    simulated.engine.faults.set({ name: 'unreachable', room: '*' });
    const asked = ['a', 'nowhere'].map((name) => rooms.find(id(name)));
    const outcomes = await simulated.answer(Promise.allSettled(asked));
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'LIVEKIT_UNAVAILABLE' } },
      { status: 'rejected', reason: { code: 'LIVEKIT_UNAVAILABLE' } },
    ]);
  });
});
