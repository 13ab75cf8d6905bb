import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Actor } from '../../kernel/actor.js';
import { type ConnectionView, type PageArguments, toConnection, toFirst } from '../../kernel/connection.js';
import { encodeCursor } from '../../kernel/cursor.js';
import { type ApiKeyMade, type ApiKeySeen, ManageApiKeys } from '../use-cases/manage-api-keys.js';
import { toNewApiKey, toOverlapMs, toPlace } from './api-key.input.js';

interface ViewerView {
  readonly name: string;
  readonly role: Actor['role'];
  readonly mayDelete: boolean;
  readonly roomIds: Actor['rooms'];
}

@Resolver('ApiKey')
export class ApiKeyResolver {
  constructor(private readonly keys: ManageApiKeys) {}

  @Query('viewer')
  viewer(@Context('actor') { name, role, mayDelete, rooms }: Actor): ViewerView {
    return { name, role, mayDelete, roomIds: rooms };
  }

  @Query('apiKeys')
  async list(
    @Args() args: PageArguments,
    @Context('actor') actor: Actor,
  ): Promise<ConnectionView<ApiKeySeen> & { readonly totalCount: number }> {
    const after = args.after == null ? null : toPlace(args.after);
    const { keys, hasNextPage, totalCount } = await this.keys.page(toFirst(args.first, 50), after, actor);
    const edges = keys.map((node) => ({ cursor: encodeCursor('api-keys', [node.id]), node }));
    return { ...toConnection(edges, { hasNextPage, hasPreviousPage: after !== null }), totalCount };
  }

  @Mutation('createApiKey')
  create(@Args('input') input: unknown, @Context('actor') actor: Actor): Promise<ApiKeyMade> {
    return this.keys.create(toNewApiKey(input), actor);
  }

  @Mutation('rotateApiKey')
  rotate(
    @Args('id') id: string,
    @Args('overlapSeconds') overlapSeconds: number | null | undefined,
    @Context('actor') actor: Actor,
  ): Promise<ApiKeyMade> {
    return this.keys.rotate(id, toOverlapMs(overlapSeconds), actor);
  }

  @Mutation('revokeApiKey')
  revoke(@Args('id') id: string, @Context('actor') actor: Actor): Promise<ApiKeySeen> {
    return this.keys.revoke(id, actor);
  }
}
