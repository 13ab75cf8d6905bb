import { join } from 'node:path';
import {
  type BeforeApplicationShutdown,
  type INestApplication,
  type LoggerService,
  Module,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Args, Context, Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AuthModule } from '../../src/auth/auth.module.js';
import type { Config } from '../../src/config/config.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { GraphqlModule } from '../../src/graphql/graphql.module.js';
import type { Actor } from '../../src/kernel/actor.js';
import type { Clock } from '../../src/kernel/clock.js';
import { TallyError } from '../../src/kernel/errors.js';
import { HttpErrors } from '../../src/ops/http-errors.js';
import { NoKeysModule } from './no-keys.module.js';

/** What went on behind the door. */
export class ToyWorld implements BeforeApplicationShutdown {
  readonly played: string[] = [];
  /** Sources of `forever` that are listened to. */
  listeners = 0;
  /** What happens when the application is about to end, and its doors are still to be open. */
  atLastCall: () => Promise<void> = () => Promise.resolve();

  async beforeApplicationShutdown(): Promise<void> {
    await this.atLastCall();
  }
}

interface EchoArguments {
  at?: number;
  size?: number;
  labels?: Record<string, unknown>;
}

@Resolver()
class ToyResolver {
  constructor(private readonly world: ToyWorld) {}

  @Query('me')
  me(@Context('actor') actor: Actor): Actor {
    return actor;
  }

  @Query('echo')
  echo(@Args() args: EchoArguments): EchoArguments & { atMs?: number } {
    return { ...args, atMs: args.at };
  }

  @Query('toy')
  toy(@Args('id') id: string): { id: string; kind: string } {
    return { id, kind: 'BALL' };
  }

  @Query('broken')
  broken(@Args('how') how: string): string {
    return breakAs(how);
  }

  @Query('badlyShown')
  badlyShown(): string {
    return 'not an instant';
  }

  @Query('unknownKind')
  unknownKind(): string {
    return 'TRAIN';
  }

  @Mutation('play')
  play(@Args('name') name: string): string {
    this.world.played.push(name);
    return name;
  }

  @Subscription('ticks', { resolve: (tick: number) => tick })
  async *ticks(@Args('until') until: number, @Args('thenBreak') thenBreak?: string): AsyncGenerator<number> {
    for (let tick = 1; tick <= until; tick += 1) yield await Promise.resolve(tick);
    if (thenBreak) breakAs(thenBreak);
  }

  @Subscription('refused')
  refused(@Args('how') how: string): AsyncIterable<number> {
    breakAs(how);
    return this.forever();
  }

  @Subscription('forever', { resolve: (tick: number) => tick })
  forever(): AsyncIterableIterator<number> {
    const { world } = this;
    let ticks = 0;
    world.listeners += 1;
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () => (ticks++ === 0 ? Promise.resolve({ value: 1, done: false }) : new Promise(() => undefined)),
      return: () => {
        world.listeners -= 1;
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }
}

function breakAs(how: string): string {
  if (how === 'refused') {
    throw new TallyError('ROOM_NOT_OPEN', 'room "a" is not open', {
      roomId: 'a',
      cause: new Error('secret'),
    });
  }
  if (how === 'lost') throw new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer; try again');
  throw new Error(`/srv/tallylight/secret-path ${how}`);
}

@Module({
  providers: [ToyResolver, ToyWorld, { provide: APP_FILTER, useClass: HttpErrors }],
  exports: [ToyWorld],
})
class ToyModule {}

export interface ToyApp {
  readonly url: string;
  readonly world: ToyWorld;
  readonly lines: readonly LogLine[];
  stop(): Promise<void>;
}

export interface LogLine {
  readonly level: string;
  readonly event: unknown;
}

/** The door with a small schema behind it, on a port of its own. */
export async function startToyApp(config: Config, clock: Clock): Promise<ToyApp> {
  const lines: LogLine[] = [];
  const graphql = join(__dirname, '../../src/graphql/common.graphql');
  const toys = join(__dirname, '../fixtures/graphql/toys.graphql');
  const testing = await Test.createTestingModule({
    imports: [
      ConfigModule.with(config, clock),
      NoKeysModule,
      AuthModule,
      GraphqlModule.serving([graphql, toys]),
      ToyModule,
    ],
  })
    .setLogger(loggerTo(lines))
    .compile();
  const app: INestApplication = testing.createNestApplication(new FastifyAdapter());
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    world: app.get(ToyWorld),
    lines,
    stop: () => app.close(),
  };
}

function loggerTo(lines: LogLine[]): LoggerService {
  const at = (level: string) => (event: unknown) => void lines.push({ level, event });
  return { log: at('info'), debug: at('debug'), warn: at('warn'), error: at('error') };
}
