import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const namedSchema = z.object({ id: z.string() });

/** A receiver of webhooks that answers as it is told. */
export class WebhookReceiver {
  readonly requests: { readonly body: string; readonly signature: string; readonly id: string }[] = [];
  status = 200;
  #hung = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const body = await text(request);
      this.requests.push({
        body,
        signature: String(request.headers['x-chat-signature']),
        id: namedSchema.parse(JSON.parse(body)).id,
      });
      if (!this.#hung) response.writeHead(this.status).end();
    });
  }
  set hung(value: boolean) {
    this.#hung = value;
  }
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    // Node types the address as text for pipes; a listening TCP server always has this one.
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook?key=1`;
  }
  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
