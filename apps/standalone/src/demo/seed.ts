import { randomBytes, randomUUID } from 'node:crypto';
import {
  addNote,
  assign,
  close,
  createSession,
  type CustomerActor,
  findSession,
  history,
  markRead,
  postMessage,
  reopen,
  type StaffActor,
  type StorageContext,
  unassign,
} from '@chat-realtime/chat-service';
import { DEMO_CHATS, type DemoChat, type DemoStep } from './scripts.ts';

export interface DemoDependencies {
  readonly chats: StorageContext;
  /** By login. */
  readonly operators: ReadonlyMap<string, StaffActor>;
  readonly requestCallback: (sessionId: number, phone: string, comment: string) => Promise<void>;
  readonly markDemo: (sessionId: number) => Promise<void>;
  /** Address of the shop in which the visitors stand. */
  readonly baseUrl: string;
}

/** Plays the dozen demo chats through the same operations that people use, so that every figure fits. */
export async function seedDemoChats(dependencies: DemoDependencies): Promise<number> {
  for (const chat of DEMO_CHATS) await playChat(dependencies, chat);
  return DEMO_CHATS.length;
}

async function playChat(dependencies: DemoDependencies, chat: DemoChat): Promise<void> {
  const { session } = await createSession(dependencies.chats, {
    name: chat.name,
    email: chat.email,
    locale: chat.locale,
    pageUrl: new URL(chat.pagePath, dependencies.baseUrl).href,
    resumeKey: randomBytes(32).toString('base64url'),
  });
  await dependencies.markDemo(session.id);
  for (const step of chat.steps) await playStep(dependencies, session.id, step);
}

async function playStep(dependencies: DemoDependencies, sessionId: number, step: DemoStep): Promise<void> {
  const { chats } = dependencies;
  const customer: CustomerActor = { kind: 'customer', sessionId };
  switch (step.do) {
    case 'customer_writes':
      await postMessage(chats, customer, sessionId, { body: step.text, clientMessageId: randomUUID() });
      return;
    case 'callback':
      await dependencies.requestCallback(sessionId, step.phone, step.comment);
      return;
    default:
      await playOperatorStep(dependencies, sessionId, step);
  }
}

async function playOperatorStep(
  { chats, operators }: DemoDependencies,
  sessionId: number,
  step: Exclude<DemoStep, { do: 'customer_writes' | 'callback' }>,
): Promise<void> {
  const operator = operators.get(step.operator);
  if (operator === undefined) throw new Error(`the demo needs the operator ${step.operator}`);
  switch (step.do) {
    case 'operator_writes':
      await postMessage(chats, operator, sessionId, { body: step.text, clientMessageId: randomUUID() });
      return;
    case 'assign':
      await assignAs(chats, operators, sessionId, operator);
      return;
    case 'unassign':
      await unassign(chats, operator, sessionId);
      return;
    case 'close':
      await close(chats, operator, sessionId);
      return;
    case 'reopen':
      await reopen(chats, operator, sessionId);
      return;
    case 'note':
      await addNote(chats, operator, sessionId, step.text);
      return;
    case 'operator_reads': {
      const page = await history(chats, operator, sessionId, { limit: 1 });
      const last = page.messages.at(-1);
      if (last !== undefined) await markRead(chats, operator, sessionId, last.id);
      return;
    }
  }
}

/** An unassigned chat is claimed by the operator; an assigned one is handed over by its assignee. */
async function assignAs(
  chats: StorageContext,
  operators: ReadonlyMap<string, StaffActor>,
  sessionId: number,
  operator: StaffActor,
): Promise<void> {
  const record = await findSession(chats, sessionId);
  const holder = [...operators.values()].find((candidate) => candidate.userId === record?.assignedUserId);
  if (holder === undefined) await assign(chats, operator, sessionId);
  else await assign(chats, holder, sessionId, operator.userId);
}
