import { Customer, HttpClient, Staff } from '@chat-realtime/testkit';
import { bodyOf } from '../checker/history.ts';
import type { MakeCast } from './cast.ts';
import { readTable } from './final-table.ts';
import { Follower, type Way } from './follower.ts';
import { SessionWatch, StaffWatch } from './watch.ts';
import { Writer } from './writer.ts';

export const CUSTOMER_WAYS = ['websocket', 'websocket', 'sse', 'poll'] as const;
export const STAFF_WAYS = ['websocket', 'websocket', 'sse', 'poll'] as const;

/**
 * Our chat-service's own chat. Each session has two customers' tabs and an operator who write, and observers on every
 * transport; two operators follow everything. The first session has as many tabs as the limit allows.
 */
export const ownChat: MakeCast = async (stack, random, { sessions, pauseMs }) => {
  const http = new HttpClient(stack.url);
  const anna = await Staff.login(http, 'anna', stack.password);
  const boris = await Staff.login(http, 'boris', stack.password);
  const sessionIds = new Set<number>();
  const cursor = await anna.feedHead();
  const followers = STAFF_WAYS.map((kind, index) => {
    const staff = index % 2 === 0 ? anna : boris;
    const watch = new StaffWatch(staff, cursor, sessionIds);
    return new Follower(`operator ${index + 1} on ${kind}`, { kind }, watch, stack.url, random.fork());
  });
  const writers: Writer[] = [];
  for (let number = 1; number <= sessions; number += 1) {
    const customer = await Customer.create(http);
    const id = customer.sessionId;
    sessionIds.add(id);
    const ways: Way[] = CUSTOMER_WAYS.map((kind) => ({ kind }));
    if (number === 1) {
      const link = new URL((await customer.streamLink()).url, stack.url);
      ways.push({ kind: 'link', path: link.pathname + link.search });
    }
    ways.forEach((way, index) => {
      const name = `tab ${index + 1} of session ${id} on ${way.kind}`;
      followers.push(new Follower(name, way, new SessionWatch(customer), stack.url, random.fork()));
    });
    for (const tab of ['tab 1', 'tab 2']) {
      writers.push(
        new Writer({
          ...{ name: tab, sessionId: id, sender: 'client', random: random.fork(), pauseMs },
          post: ({ body, clientMessageId, signal }) =>
            customer.request('POST', '/messages', { json: { body, client_message_id: clientMessageId }, signal }),
        }),
      );
    }
    const staff = number % 2 === 0 ? anna : boris;
    writers.push(
      new Writer({
        ...{ name: 'operator', sessionId: id, sender: staff.userId, random: random.fork(), pauseMs: 2 * pauseMs },
        post: ({ body, clientMessageId, signal }) =>
          staff.request('POST', `/chat/session/${id}/messages`, {
            json: { body, client_message_id: clientMessageId },
            signal,
          }),
      }),
    );
  }
  const ids = [...sessionIds];
  return {
    sessionIds: ids,
    followers,
    writers,
    // Staff-only events go another way than messages: only operators may see them, and only the feed has them.
    opened: async () => {
      for (const id of ids) await anna.note(id, bodyOf(id, 'note', 0));
    },
    outcome: async () => ({
      ...(await readTable(stack.postgres, ids)),
      attempts: writers.flatMap(({ attempts }) => attempts),
      complaints: [],
    }),
    close: () => http.close(),
  };
};
