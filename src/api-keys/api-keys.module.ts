import { Module } from '@nestjs/common';
import { ApiKeyResolver } from './graphql/api-key.resolver.js';
import { ManageApiKeys } from './use-cases/manage-api-keys.js';

@Module({ providers: [ManageApiKeys, ApiKeyResolver] })
export class ApiKeysModule {}
