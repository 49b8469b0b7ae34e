import type {
  Acks,
  Alerts,
  EventsPage,
  FeedPage,
  HistoryPage,
  NewSession,
  PostedMessage,
  PostMessage,
  SessionCreated,
  SessionListPage,
  SessionListQuery,
  SessionRecord,
} from './storage/session-record.ts';
import type {
  CatchupRequest,
  CatchupResponse,
  ContactChange,
  CountedBadge,
  Note,
  NotesResponse,
  OperatorsResponse,
  OperatorStatus,
  OperatorStatusResponse,
  Session,
  StaffSession,
} from '@chat-realtime/protocol';
import type { RevocationPage, RevocationPlace } from '@chat-realtime/verifier';
import type { Actor, StaffActor } from './actors.ts';
import type { FactUnit, SessionUnit } from './storage/unit.ts';

export interface AssignOptions {
  /** The site vouches for the operator, who need not be known yet. */
  readonly vouched?: boolean;
}

/**
 * Every operation on chats. All of them throw `ChatError` with the contract's codes; input has passed its schema.
 * A staff actor gets `session_not_found` for sessions outside of their scope.
 */
export interface ChatOperations {
  /** One session per resume key, however many ask at once; `created: false` for the known key. */
  createSession(input: NewSession): Promise<SessionCreated>;
  /** The session as the server knows it, without any check of who asks: for credentials, identity and sweeps. */
  findSession(sessionId: number): Promise<SessionRecord | null>;
  findSessionByResumeKey(resumeKey: string): Promise<SessionRecord | null>;
  findSessionsByCustomer(customerId: string): Promise<SessionRecord[]>;
  /** Staff get the longer form. */
  getSession(actor: Actor, sessionId: number): Promise<Session | StaffSession>;
  listSessions(actor: StaffActor, query: SessionListQuery): Promise<SessionListPage>;

  postMessage(actor: Actor, sessionId: number, message: PostMessage): Promise<PostedMessage>;
  history(
    actor: Actor,
    sessionId: number,
    page: { beforeId?: number; afterId?: number; limit: number },
  ): Promise<HistoryPage>;
  events(actor: Actor, sessionId: number, page: { afterSeq: number; limit: number }): Promise<EventsPage>;
  feed(actor: StaffActor, page: { after?: string; limit: number }): Promise<FeedPage>;
  /** Answers the mark as it stands now. */
  markRead(actor: Actor, sessionId: number, lastId: number): Promise<{ read_id: number }>;

  /** Without `userId` the actor claims the session for themself. */
  assign(actor: StaffActor, sessionId: number, userId?: string, options?: AssignOptions): Promise<Session>;
  unassign(actor: StaffActor, sessionId: number): Promise<Session>;
  close(actor: StaffActor, sessionId: number): Promise<Session>;
  reopen(actor: StaffActor, sessionId: number): Promise<Session>;
  /** Every channel token and stream link of the session made so far stops working, and its resume key for good. */
  revoke(actor: StaffActor, sessionId: number): Promise<void>;
  /** The same for every session of a customer, whoever has it. */
  revokeCustomer(customerId: string): Promise<void>;
  /** Revokes staff tokens: all of a `sub` (`staff`) or those of one sign-in (`staff_login`). */
  revokeStaff(kind: 'staff' | 'staff_login', subject: string): Promise<void>;
  /** What follows a place; all of it where that is of another epoch. */
  revocations(after: RevocationPlace): Promise<RevocationPage>;

  /** What an operator has learned of the customer; fields that are not named stay. */
  changeContact(actor: StaffActor, sessionId: number, change: ContactChange): Promise<StaffSession>;
  /** Where the customer is now. */
  reportPage(actor: Actor, sessionId: number, pageUrl: string): Promise<void>;

  addNote(actor: StaffActor, sessionId: number, body: string): Promise<Note>;
  notes(
    actor: StaffActor,
    sessionId: number,
    page: { beforeId?: number | undefined; limit: number },
  ): Promise<NotesResponse>;

  operatorStatus(actor: StaffActor): Promise<OperatorStatusResponse>;
  chooseStatus(actor: StaffActor, status: OperatorStatus): Promise<OperatorStatusResponse>;
  /** All active sessions of the actor, or as an administrator another's, to an operator or to nobody; those that went. */
  handover(actor: StaffActor, toUserId: string | null, fromUserId?: string): Promise<number[]>;

  /** Remembers an operator from the token they showed; cheap to call on every request. */
  staffSeen(actor: StaffActor): Promise<void>;
  /** `page`: the `next_page` of the answer before. */
  operators(page?: string): Promise<OperatorsResponse>;
  operatorsOnline(): Promise<number>;
  badge(): Promise<CountedBadge>;
  /** Numbers of the badge as this operator sees them. `since`: only newer things count as new. */
  alerts(actor: StaffActor, since: Date | null): Promise<Alerts>;

  catchup(request: CatchupRequest): Promise<CatchupResponse>;
  acks(request: Acks): Promise<void>;

  /**
   * One transaction under the session's lock: what `work` appends gets the next numbers, what it does through
   * `unit.trx` is committed with it. The database may have a single connection, so `work` must do nothing but queries on
   * `unit.trx` and calls of `unit`. Throws `session_not_found`.
   */
  commit<T>(sessionId: number, work: (unit: SessionUnit) => Promise<T>): Promise<T>;
  /** The same without a session: only staff-only facts can be appended. */
  commitFact<T>(work: (unit: FactUnit) => Promise<T>): Promise<T>;
}
