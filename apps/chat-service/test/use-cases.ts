import { alerts, badge } from '../src/alerts/badge-queries.ts';
import type { ChatService } from '../src/chat-service.ts';
import { feed } from '../src/feed/feed.ts';
import { assign, close, reopen, unassign } from '../src/lifecycle/assignment.ts';
import { handover } from '../src/lifecycle/handover.ts';
import { events, history } from '../src/messages/history.ts';
import { markRead } from '../src/messages/marks.ts';
import { postMessage } from '../src/messages/messages.ts';
import { addNote, notes } from '../src/notes/notes.ts';
import { chooseStatus, operatorStatus } from '../src/operators/operator-status.ts';
import { operators, operatorsOnline } from '../src/operators/operators.ts';
import { changeContact, reportPage } from '../src/sessions/contact.ts';
import { listSessions } from '../src/sessions/inbox.ts';
import { createSession, getSession } from '../src/sessions/sessions.ts';
import type { StorageContext } from '../src/storage/context.ts';
import { findSession, findSessionByResumeKey, findSessionsByCustomer } from '../src/storage/find-session.ts';
import { changeSession, commitWork } from '../src/storage/unit-of-work.ts';
import type { SessionUnit } from '../src/storage/unit.ts';
import { revocations, revokeCustomer, revokeSession, revokeStaff } from '../src/tokens/revocations.ts';

const USE_CASES = {
  ...{ createSession, getSession, listSessions, changeContact, reportPage },
  ...{ findSession, findSessionByResumeKey, findSessionsByCustomer },
  ...{ postMessage, history, events, markRead, addNote, notes, feed },
  ...{ assign, unassign, close, reopen, handover },
  ...{ revoke: revokeSession, revokeCustomer, revokeStaff, revocations },
  ...{ operators, operatorsOnline, operatorStatus, chooseStatus, alerts, badge, commitWork },
};

type Bound<F> = F extends (context: StorageContext, ...given: infer G) => infer R ? (...given: G) => R : never;
type BoundUseCases = { readonly [N in keyof typeof USE_CASES]: Bound<(typeof USE_CASES)[N]> };

/** What tests do with a service, without a route before it. */
export interface UseCases extends BoundUseCases, Pick<ChatService['source'], 'catchup' | 'acks'> {
  commit<T>(sessionId: number, work: (unit: SessionUnit) => Promise<T>): Promise<T>;
  staffSeen: ChatService['directory']['seen'];
}

export function useCases({ context, directory, source }: ChatService): UseCases {
  const bound = Object.entries(USE_CASES).map(([name, useCase]) => [
    name,
    (useCase as (context: StorageContext, ...given: unknown[]) => unknown).bind(null, context),
  ]);
  return {
    ...(Object.fromEntries(bound) as BoundUseCases),
    commit: (sessionId, work) => changeSession(context, sessionId, work),
    catchup: (request) => source.catchup(request),
    acks: (request) => source.acks(request),
    staffSeen: (actor) => directory.seen(actor),
  };
}
