import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { AuditLog } from '../../audit/audit-log.js';
import type { Actor } from '../../kernel/actor.js';
import { CreateRoom } from '../use-cases/create-room.js';
import { FindRooms } from '../use-cases/find-rooms.js';
import { LiveRooms } from '../use-cases/live-rooms.js';
import { UpdateRoom } from '../use-cases/update-room.js';
import { type RoomsArguments, toCreateRoomRequest, toRoomQuery, toUpdateRoomRequest } from './room.input.js';
import {
  type LiveRoomView,
  type RoomConnectionView,
  type RoomView,
  toLiveRoomView,
  toRoomConnectionView,
  toRoomView,
} from './room.view.js';

@Resolver('Room')
export class RoomResolver {
  constructor(
    private readonly rooms: FindRooms,
    private readonly create: CreateRoom,
    private readonly update: UpdateRoom,
    private readonly liveRooms: LiveRooms,
    private readonly audit: AuditLog,
  ) {}

  @Query('room')
  async room(@Args('id') id: string, @Context('actor') actor: Actor): Promise<RoomView> {
    return toRoomView(await this.rooms.one(actor, id));
  }

  @Query('rooms')
  async list(@Args() args: RoomsArguments, @Context('actor') actor: Actor): Promise<RoomConnectionView> {
    return toRoomConnectionView(await this.rooms.page(actor, toRoomQuery(args)));
  }

  @Mutation('createRoom')
  async createRoom(@Args('input') input: unknown, @Context('actor') actor: Actor): Promise<RoomView> {
    const room = await this.create.execute({ ...toCreateRoomRequest(input), actor });
    await this.audit.add({ actor: actor.name, action: 'room.created', subject: room.id });
    return toRoomView(room);
  }

  @Mutation('updateRoom')
  async updateRoom(@Args('input') input: unknown, @Context('actor') actor: Actor): Promise<RoomView> {
    const room = await this.update.execute({ ...toUpdateRoomRequest(input), actor });
    await this.audit.add({ actor: actor.name, action: 'room.updated', subject: room.id });
    return toRoomView(room);
  }

  @ResolveField('live')
  async live(@Parent() room: RoomView): Promise<LiveRoomView | null> {
    return toLiveRoomView(await this.liveRooms.find(room.id));
  }
}
