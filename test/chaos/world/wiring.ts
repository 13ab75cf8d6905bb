import 'reflect-metadata';

/** A class as its constructor's decorator describes it. */
export type Class<T = object> = abstract new (...args: never[]) => T;

/** Makes each class once, of what its constructor asks for; ports are bound beforehand. Plain constructors, no container. */
export class Wiring {
  private readonly made = new Map<Class, object>();

  bind<T extends object>(token: Class<T>, instance: T): this {
    this.made.set(token, instance);
    return this;
  }

  /** The one instance. Throws for a port that nothing is bound to. */
  make<T extends object>(what: Class<T>): T {
    const known = this.made.get(what);
    if (known) return known as T;
    const parts = (Reflect.getMetadata('design:paramtypes', what) ?? []) as Class[];
    const args = parts.map((part) => {
      if (typeof part !== 'function' || part === Object)
        throw new Error(`${what.name} asks for what is no class`);
      return this.make(part);
    });
    const make = what as unknown as new (...args: object[]) => T;
    const instance = new make(...args);
    this.made.set(what, instance);
    return instance;
  }

  /** Everything made so far. */
  all(): object[] {
    return [...this.made.values()];
  }
}
