/** A command that one feature has another carry out in the other's own step. */
export type RedisCommand = readonly [command: string, key: string, ...rest: string[]];
