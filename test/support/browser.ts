import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { isErrno } from '../../src/kernel/start-fault.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The path of a Chromium on this machine, or null: only its absence excuses a test in the browser. */
export function findChromium(): string | null {
  const named = process.env.CHROMIUM;
  const paths = (process.env.PATH ?? '').split(delimiter).flatMap((f) => NAMES.map((name) => join(f, name)));
  return [...(named ? [named] : []), ...paths].find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'ENOTDIR')) throw error;
    return false;
  }
}

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
}

/** What a page said and did that no page of ours should: errors, refusals by its policy, requests to elsewhere. */
export function watchForTrouble(page: Page, ourUrl: string): readonly string[] {
  const trouble: string[] = [];
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) trouble.push(`policy: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(ourUrl)) trouble.push(`elsewhere: ${request.url()}`);
  });
  return trouble;
}

/** A recording's event as it came over the page's WebSockets. */
export interface EventFrame {
  readonly recordingId: string;
  readonly version: number;
}

/** Every event that reaches the page, in the order of arrival, over all its connections. */
export function watchEvents(page: Page): readonly EventFrame[] {
  const seen: EventFrame[] = [];
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => {
      const message = JSON.parse(String(payload)) as {
        type: string;
        payload?: { data?: { recordingEvents?: { recording: { id: string; version: number } } } };
      };
      const recording = message.payload?.data?.recordingEvents?.recording;
      if (message.type === 'next' && recording) {
        seen.push({ recordingId: recording.id, version: recording.version });
      }
    });
  });
  return seen;
}
