import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { AuditLog } from '../../audit/audit-log.js';
import type { Actor } from '../../kernel/actor.js';
import { badInput } from '../../kernel/errors.js';
import { OperateSweeps } from '../operate-sweeps.js';
import type { Finding, SweepName, SweepRun } from '../sweep.js';

interface SweepView {
  readonly name: SweepName;
  readonly intervalMs: number;
  readonly lastRun: SweepRun | null;
}

const MOST_FINDINGS = 1_000;

@Resolver('SweepRun')
export class SweepResolver {
  constructor(
    private readonly sweeps: OperateSweeps,
    private readonly audit: AuditLog,
  ) {}

  @Query('sweeps')
  async list(@Context('actor') actor: Actor): Promise<SweepView[]> {
    const seen = await this.sweeps.list(actor);
    return seen.map(({ name, everyMs, lastRun }) => ({ name, intervalMs: everyMs, lastRun }));
  }

  @Mutation('runSweep')
  async runSweep(
    @Args('name') name: SweepName,
    @Args('dryRun') dryRun: boolean | null,
    @Context('actor') actor: Actor,
  ): Promise<SweepRun> {
    const run = await this.sweeps.run(name, dryRun ?? false, actor);
    const detail = { dryRun: run.dryRun, acted: run.acted };
    await this.audit.add({ actor: actor.name, action: 'sweep.run', subject: name, detail });
    return run;
  }

  @ResolveField('findings')
  findings(@Parent() run: SweepRun, @Args('first') first: number | null): readonly Finding[] {
    const wanted = first ?? 100;
    if (wanted < 1 || wanted > MOST_FINDINGS) throw badInput('first', `must be from 1 to ${MOST_FINDINGS}`);
    return run.findings.slice(0, wanted);
  }
}
