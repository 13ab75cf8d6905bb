import type { LogLevel } from '../kernel/errors.js';

export type StorageConfig =
  | {
      readonly kind: 'file';
      readonly folder: string;
      /** Whose egresses are ours; null: what a mark in the folder says. */
      readonly deployment: string | null;
    }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Without slashes at its ends; empty for the bucket's root. */
      readonly prefix: string;
      readonly endpoint: string | null;
      readonly region: string;
      /** Null: the AWS SDK's own chain. */
      readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
      readonly forcePathStyle: boolean;
      readonly egressEndpoint: string | null;
      /** Whose egresses are ours, where several deployments share a LiveKit. */
      readonly deployment: string;
    };

/** Of LiveKit. */
export interface KeyPair {
  readonly apiKey: string;
  readonly apiSecret: string;
}

export type ProcessRole = 'api' | 'worker' | 'all';

export interface ConfigFields {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string;
  readonly role: ProcessRole;
  readonly adminKey: string;
  /** For signing and sealing what is handed out or kept: the first one signs, every one is accepted. */
  readonly secrets: readonly string[];
  /** Pages of these origins may call us from a browser. */
  readonly corsOrigins: readonly string[];
  readonly queuesUi: 'read' | 'write' | 'off';
  readonly rateLimit: boolean;
  /** Proxies whose word on a client's address is believed; nobody's where it is empty. */
  readonly trustProxy: readonly string[];
  /** False: `publicUrl` is a guess. */
  readonly isPublicUrlSet: boolean;
  /** Webhooks may go to addresses that are not on the internet. */
  readonly webhookAllowPrivate: boolean;
  readonly redisUrl: string;
  readonly storage: StorageConfig;
  /** `redirect`: from the bucket, by presigned addresses. */
  readonly mediaDelivery: 'proxy' | 'redirect';
  readonly livekit: KeyPair & {
    readonly url: string;
    /** Accepted in webhooks and tokens besides, while keys are rotated. */
    readonly furtherKeys: readonly KeyPair[];
  };
  readonly recordingStartTimeoutMs: number;
  readonly livekitStartTimeoutMs: number;
  readonly livekitStopTimeoutMs: number;
  readonly livekitTimeoutMs: number;
  readonly recordingMaxDurationMs: number;
  readonly orphanedLockGraceMs: number;
  readonly staleAfterMs: number;
  readonly recorderCheckEveryMs: number;
  readonly recorderLostAfterMs: number;
  readonly sweepEveryMs: {
    readonly orphanedLocks: number;
    readonly staleRecordings: number;
    readonly livekitReconciliation: number;
    readonly storageReconciliation: number;
    readonly retention: number;
  };
  readonly bulkDeleteAttempts: number;
  readonly bulkDeleteBackoffMs: number;
  readonly eventLogRetentionMs: number;
  readonly metricsPort: number | null;
  /** Traces are sent, to where OpenTelemetry's own variables say. */
  readonly tracing: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'pretty';
  /** The embedded stack runs here: a developer's machine, with GraphiQL and the simulator's page. */
  readonly development: boolean;
}

/** The checked configuration of this process; frozen, injected by its class. */
export interface Config extends ConfigFields {}
export class Config {
  constructor(fields: ConfigFields) {
    Object.assign(this, fields);
    Object.freeze(this);
  }
}
