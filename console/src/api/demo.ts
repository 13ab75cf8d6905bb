import { type Api, readBody, serverUrl } from './graphql.js';

/** Whether this page was sent by `npm start`, whose embedded parts can be broken on request. */
export const IS_EMBEDDED = document.documentElement.dataset.embedded !== undefined;

export type DemoAction =
  'kill-worker' | 'lose-webhooks' | 'empty-redis' | 'fail-next-start' | 'take-livekit-away';

export interface DemoLight {
  readonly name: DemoAction;
  readonly isOn: boolean;
  /** When it was last done, in ms; null: not since the server started. */
  readonly at: number | null;
}

export function demoLights(api: Api): Promise<readonly DemoLight[]> {
  return ask(api, 'lights', 'GET');
}

/** Does it, or takes it back. */
export async function performDemo(api: Api, name: DemoAction, on: boolean): Promise<void> {
  await ask(api, `${name}${on ? '' : '?on=false'}`, 'POST');
}

async function ask({ credential }: Api, what: string, method: 'GET' | 'POST'): Promise<readonly DemoLight[]> {
  const response = await fetch(serverUrl(`demo/${what}`), {
    method,
    headers: { authorization: `Bearer ${credential}` },
  });
  const body = (await readBody(response)) as { readonly lights?: readonly DemoLight[] };
  return body.lights ?? [];
}
