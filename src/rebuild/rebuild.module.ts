import { Module } from '@nestjs/common';
import { RebuildRunner } from './rebuild.runner.js';

@Module({ providers: [RebuildRunner] })
export class RebuildModule {}
