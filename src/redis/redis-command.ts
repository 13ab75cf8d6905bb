import type { AtomicWrite } from '../kernel/atomic-write.js';

/** A command that can be carried out in any script: its one key comes first. */
export type RedisCommand = readonly [command: string, key: string, ...rest: string[]];

/** For the commit of another store. */
export function toAtomicWrite(command: RedisCommand): AtomicWrite {
  return command as RedisCommand & AtomicWrite;
}

/** As a script takes them: their keys among its own, and the commands without them in JSON. */
export function toScriptInput(writes: readonly AtomicWrite[]): {
  readonly keys: readonly string[];
  readonly commands: string;
} {
  const all = writes as readonly (AtomicWrite & RedisCommand)[];
  return {
    keys: all.map(([, key]) => key),
    commands: JSON.stringify(all.map(([command, , ...rest]) => [command, ...rest])),
  };
}
