// What the product is compared with: `ws` and the loop everybody writes first.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { serve } from '../process/calls.ts';
import { cpuSince, inRounds, memoryAfterGc, messageFrame, type ServerOffer } from './server-offer.ts';

const server = createServer();
const sockets = new Set<WebSocket>();
new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false }).on('connection', (socket) => {
  sockets.add(socket);
  socket.on('message', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => undefined);
});
const listening = new Promise<number>((resolve, reject) => {
  server.listen(0, '127.0.0.1', 4_096, () => {
    const address: AddressInfo | string | null = server.address();
    if (address === null || typeof address === 'string') reject(new Error('no port'));
    else resolve(address.port);
  });
});

let seq = 0;
const offer: ServerOffer = {
  port: () => listening,
  connections: () => sockets.size,
  broadcast: (request) =>
    inRounds(request, () => {
      for (let message = 0; message < request.burst; message += 1) {
        seq += 1;
        const text = JSON.stringify(messageFrame(1, seq, request.bodyBytes));
        for (const socket of sockets) socket.send(text);
      }
    }),
  cpuSince,
  memory: memoryAfterGc,
};
serve(offer);
