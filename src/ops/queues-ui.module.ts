import { Module } from '@nestjs/common';
import { QueuesUi } from './queues-ui.js';

@Module({ providers: [QueuesUi] })
export class QueuesUiModule {}
