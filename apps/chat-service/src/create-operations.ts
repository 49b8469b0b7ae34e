import type { ChatOperations } from './operations.ts';
import { acks, markRead } from './messages/marks.ts';
import { assign, close, reopen, unassign } from './lifecycle/assignment.ts';
import { catchup } from './catchup/catchup.ts';
import { EpochWatch } from './catchup/epoch-watch.ts';
import { changeContact, reportPage } from './sessions/contact.ts';
import type { StorageContext } from './storage/context.ts';
import { translated } from './storage/errors.ts';
import { feed } from './feed/feed.ts';
import { handover } from './lifecycle/handover.ts';
import { events, history } from './messages/history.ts';
import { listSessions } from './sessions/inbox.ts';
import { postMessage } from './messages/messages.ts';
import { addNote, notes } from './notes/notes.ts';
import { alerts, badge } from './alerts/numbers.ts';
import { chooseStatus, operatorStatus } from './operators/operator-status.ts';
import { OperatorDirectory, operators, operatorsOnline } from './operators/operators.ts';
import { revocations, revokeCustomer, revokeSession, revokeStaff } from './tokens/revocations.ts';
import { readSession, readSessionByResumeKey, readSessionsByCustomer } from './storage/session-rows.ts';
import { createSession, getSession } from './sessions/sessions.ts';
import { commitFact, commitSession } from './storage/unit-of-work.ts';

export function createOperations(context: StorageContext): ChatOperations {
  const db = context.database.kysely;
  const directory = new OperatorDirectory(context);
  const epochs = new EpochWatch(context);
  return {
    createSession: (input) => createSession(context, input),
    findSession: (id) => translated(() => readSession(db, id)),
    findSessionByResumeKey: (key) => translated(() => readSessionByResumeKey(db, key)),
    findSessionsByCustomer: (id) => translated(() => readSessionsByCustomer(db, id)),
    getSession: (actor, id) => getSession(context, actor, id),
    listSessions: (actor, query) => listSessions(context, actor, query),
    postMessage: (actor, id, message) => postMessage(context, actor, id, message),
    history: (actor, id, page) => history(context, actor, id, page),
    events: (actor, id, page) => events(context, actor, id, page),
    feed: (actor, page) => feed(context, actor, page),
    markRead: (actor, id, lastId) => markRead(context, actor, id, lastId),
    assign: (actor, id, userId, options) => assign(context, actor, id, userId, options),
    unassign: (actor, id) => unassign(context, actor, id),
    close: (actor, id) => close(context, actor, id),
    reopen: (actor, id) => reopen(context, actor, id),
    revoke: (actor, id) => revokeSession(context, actor, id),
    revokeCustomer: (customerId) => revokeCustomer(context, customerId),
    revokeStaff: (kind, subject) => revokeStaff(context, kind, subject),
    revocations: (after) => revocations(context, after),
    changeContact: (actor, id, change) => changeContact(context, actor, id, change),
    reportPage: (actor, id, pageUrl) => reportPage(context, actor, id, pageUrl),
    addNote: (actor, id, body) => addNote(context, actor, id, body),
    notes: (actor, id, page) => notes(context, actor, id, page),
    operatorStatus: (actor) => operatorStatus(context, actor),
    chooseStatus: (actor, status) => chooseStatus(context, actor, status),
    handover: (actor, toUserId, fromUserId) => handover(context, actor, toUserId, fromUserId),
    staffSeen: (actor) => directory.seen(actor),
    operators: (page) => operators(context, page),
    operatorsOnline: () => operatorsOnline(context),
    badge: () => badge(context),
    alerts: (actor, since) => alerts(context, actor, since),
    catchup: (request) => catchup(context, epochs, request),
    acks: (request) => acks(context, request),
    commit: async (id, work) => (await commitSession(context, id, work)).result,
    commitFact: (work) => commitFact(context, work),
  };
}
