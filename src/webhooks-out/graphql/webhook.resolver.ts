import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Actor } from '../../kernel/actor.js';
import { type ConnectionView, type PageArguments, toConnection, toFirst } from '../../kernel/connection.js';
import { encodeCursor } from '../../kernel/cursor.js';
import { isTallyError } from '../../kernel/errors.js';
import type { DeliveryStatus } from '../domain/delivery.js';
import { type EndpointMade, ManageEndpoints } from '../use-cases/manage-endpoints.js';
import { ResendWebhooks } from '../use-cases/resend-webhooks.js';
import { toDeliveryPlace, toEndpointChange, toNewEndpoint, toOverlapMs } from './webhook.input.js';
import { type DeliveryView, type EndpointView, toDeliveryView, toEndpointView } from './webhook.view.js';

interface MadeView {
  readonly endpoint: EndpointView;
  readonly secret: string;
}

@Resolver('WebhookEndpoint')
export class WebhookResolver {
  constructor(
    private readonly endpoints: ManageEndpoints,
    private readonly sending: ResendWebhooks,
  ) {}

  @Query('webhookEndpoints')
  async list(@Context('actor') actor: Actor): Promise<EndpointView[]> {
    return (await this.endpoints.list(actor)).map(toEndpointView);
  }

  @Query('webhookEndpoint')
  async one(@Args('id') id: string, @Context('actor') actor: Actor): Promise<EndpointView | null> {
    try {
      return toEndpointView(await this.endpoints.one(id, actor));
    } catch (error) {
      if (isTallyError(error, 'WEBHOOK_ENDPOINT_NOT_FOUND')) return null;
      throw error;
    }
  }

  @Mutation('createWebhookEndpoint')
  async create(@Args('input') input: unknown, @Context('actor') actor: Actor): Promise<MadeView> {
    return toMadeView(await this.endpoints.create(toNewEndpoint(input), actor));
  }

  @Mutation('updateWebhookEndpoint')
  async update(@Args('input') input: unknown, @Context('actor') actor: Actor): Promise<EndpointView> {
    const { id, change } = toEndpointChange(input);
    return toEndpointView(await this.endpoints.update(id, change, actor));
  }

  @Mutation('rotateWebhookSecret')
  async rotate(
    @Args('id') id: string,
    @Args('overlapSeconds') overlapSeconds: number | null | undefined,
    @Context('actor') actor: Actor,
  ): Promise<MadeView> {
    return toMadeView(await this.endpoints.rotate(id, toOverlapMs(overlapSeconds), actor));
  }

  @Mutation('deleteWebhookEndpoint')
  async delete(@Args('id') id: string, @Context('actor') actor: Actor): Promise<EndpointView> {
    return toEndpointView(await this.endpoints.delete(id, actor));
  }

  @Mutation('testWebhookEndpoint')
  async test(@Args('id') id: string, @Context('actor') actor: Actor): Promise<DeliveryView> {
    return toDeliveryView(await this.sending.test(id, actor));
  }

  @Mutation('redeliverWebhook')
  async redeliver(
    @Args('deliveryId') deliveryId: string,
    @Context('actor') actor: Actor,
  ): Promise<DeliveryView> {
    return toDeliveryView(await this.sending.again(deliveryId, actor));
  }

  @Mutation('recoverWebhooks')
  recover(
    @Args('endpointId') endpointId: string,
    @Args('since') since: number,
    @Context('actor') actor: Actor,
  ): Promise<number> {
    return this.sending.recover(endpointId, since, actor);
  }

  @ResolveField('failingSince')
  failingSince(@Parent() { id }: EndpointView): Promise<number | null> {
    return this.sending.failingSince(id);
  }

  @ResolveField('backlog')
  backlog(@Parent() { id }: EndpointView): Promise<number> {
    return this.sending.backlog(id);
  }

  @ResolveField('deliveries')
  async deliveries(
    @Parent() { id }: EndpointView,
    @Args() args: PageArguments & { readonly status?: DeliveryStatus | null },
  ): Promise<ConnectionView<DeliveryView>> {
    const after = args.after == null ? null : toDeliveryPlace(args.after);
    const page = await this.sending.page(id, args.status ?? null, toFirst(args.first, 50), after);
    const edges = page.deliveries.map((delivery) => ({
      cursor: encodeCursor('deliveries', [delivery.id]),
      node: toDeliveryView(delivery),
    }));
    return toConnection(edges, { hasNextPage: page.hasNextPage, hasPreviousPage: after !== null });
  }
}

function toMadeView({ endpoint, secret }: EndpointMade): MadeView {
  return { endpoint: toEndpointView(endpoint), secret };
}
