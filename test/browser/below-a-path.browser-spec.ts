import { createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { ConsoleBrowser } from '../support/console.js';

const PATH = '/record/tally';

describe('the console below a path of a reverse proxy', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let proxy: Server;
  let url = '';
  let browser: ConsoleBrowser;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    stack = await startStack({ LOG_LEVEL: 'error' });
    proxy = proxyTo(() => instance.url, sockets);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${PATH}`;
    instance = await stack.start({ PUBLIC_URL: url });
    browser = await ConsoleBrowser.launch();
    await browser.newPage(url);
  });
  afterAll(async () => {
    await browser?.close();
    for (const socket of sockets) socket.destroy();
    proxy?.close();
    await stack?.close();
  });

  test.each(['', 'rooms', 'system?view=queues', 'rec_nothing', 'a/place/that/is/none', 'a/folder/'])(
    'it is whole at /%s, with everything from below the path',
    async (place) => {
      const { page } = browser;
      await browser.open(url, place);
      await page.waitForSelector('main h1');
      expect(
        await page
          .getByRole('link', { name: 'Rooms', exact: true })
          .evaluate((link: { href: string }) => link.href),
      ).toBe(`${url}/rooms`);
      await page.getByRole('link', { name: 'Rooms', exact: true }).click();
      await page.waitForSelector('.rooms');
      expect(page.url()).toBe(`${url}/rooms`);
      await page.reload();
      await page.waitForSelector('.rooms');
      expect(browser.trouble).toEqual([]);
    },
  );
});

/** Takes the path away, as most proxies are set up to, for HTTP and WebSocket alike. */
function proxyTo(target: () => string, sockets: Set<Socket>): Server {
  const inner = (path = ''): string => path.slice(PATH.length) || '/';
  const server = createServer((asked, answer) => {
    const { hostname, port } = new URL(target());
    if (!asked.url?.startsWith(`${PATH}/`)) {
      answer.writeHead(404).end();
      return;
    }
    const passed = request({
      hostname,
      port,
      path: inner(asked.url),
      method: asked.method,
      headers: asked.headers,
    });
    passed.on('response', (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  server.on('upgrade', (asked, socket: Socket, head) => {
    const { hostname, port } = new URL(target());
    const passed = connect(Number(port), hostname, () => {
      const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${String(value)}`);
      passed.write(`GET ${inner(asked.url)} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      passed.write(head);
      passed.pipe(socket);
      socket.pipe(passed);
    });
    for (const one of [socket, passed]) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => [socket, passed].forEach((each) => each.destroy()));
    }
  });
  return server;
}
